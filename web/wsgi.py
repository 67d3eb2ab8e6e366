"""What the web server loads: `web.wsgi:app`."""

from web import create_app, process

app = create_app()
process.begin(app)
