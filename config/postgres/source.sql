-- Database source. The service source-data makes its tables and views itself, as the database's owner.

GRANT USAGE ON SCHEMA public TO extract;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO extract;
ALTER DEFAULT PRIVILEGES FOR ROLE source_owner IN SCHEMA public GRANT SELECT ON TABLES TO extract;
