-- What PostgreSQL gives to everybody, and nobody here needs.

REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- Large objects: with these, a role that may only read could fill the disk.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure)
FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lowrite', 'lo_put')
  AND has_function_privilege('public', oid, 'EXECUTE') \gexec

-- Advisory locks: with these, a role that may only read could keep a load waiting. They are for the one who writes.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC; GRANT EXECUTE ON FUNCTION %1$s TO %I', oid::regprocedure, :'writer')
FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND (proname LIKE 'pg\_advisory\_%lock%' OR proname LIKE 'pg\_try\_advisory\_%lock%')
  AND (has_function_privilege('public', oid, 'EXECUTE') OR NOT has_function_privilege(:'writer', oid, 'EXECUTE')) \gexec
