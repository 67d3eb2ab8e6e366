"""What the web server loads: `web.wsgi:app`."""

from web import create_app, lifecycle

app = create_app()
lifecycle.begin(app)
