"""Sets up Airflow's login: passwords in its own database, and a limit on attempts."""

from flask_appbuilder.const import AUTH_DB

AUTH_TYPE = AUTH_DB
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "5 per 40 second"
WTF_CSRF_ENABLED = True
