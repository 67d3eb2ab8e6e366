"""Changes that the API and the forms share: validate, save, record. They raise `Problem` and never commit.

Whoever calls them ends with `web.saving.unit.commit()`.
"""
