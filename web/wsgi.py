"""The entry point of the web server: `web.wsgi:app`."""

from web import create_app, lifecycle

app = create_app()
lifecycle.begin(app)
