-- What PostgreSQL gives to everybody, and nobody here needs.

REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- Large objects: with these, a role that may only read could fill the disk.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure)
FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lowrite', 'lo_put')
  AND has_function_privilege('public', oid, 'EXECUTE') \gexec
