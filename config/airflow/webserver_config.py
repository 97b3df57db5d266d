"""Sets up Airflow's login: passwords in its own database, and limits on attempts."""

from flask_appbuilder.const import AUTH_DB

from etl_airflow.login_limit import Limit, Limits
from etl_airflow.security_manager import SecurityManager

AUTH_TYPE = AUTH_DB
WTF_CSRF_ENABLED = True
SECURITY_MANAGER_CLASS = SecurityManager
# Flask-AppBuilder's own limit is about the form alone, counts in each worker for itself, and counts the right password.
AUTH_RATE_LIMITED = False
# So many failures within an hour cost nothing; after the next one waits so many seconds, then twice as long each time,
# up to the longest. Short, since all who come through one tunnel or proxy may have one address.
LOGIN_LIMITS = Limits(
    pair=Limit(free=5, first=5, longest=60),  # one account from one address
    address=Limit(free=30, first=5, longest=60),  # accounts that never logged in there, from one address
    account=Limit(free=100, first=5, longest=60),  # one account from addresses where it never logged in
)
