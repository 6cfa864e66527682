-- Rights in one of the two databases: its owner creates and changes tables and takes advisory locks, its readers read the
-- tables, and no other role may connect. The owner also gets tables that another role created. Run it in that database as a superuser,
-- as often as you like, with two settings that name the roles, and for the analytics database a third one that names
-- the schema in which `footfall rebuild` makes fresh tables:
--
--   main       footfall.owner=footfall_api        footfall.readers=footfall_reader
--   analytics  footfall.owner=footfall_projector  footfall.readers=footfall_api,footfall_reader
--              footfall.rebuild=footfall_rebuild
SET search_path TO pg_catalog;

DO $$
DECLARE
    owner CONSTANT regrole := current_setting('footfall.owner')::regrole;
    reader regrole;
    rebuild CONSTANT text := current_setting('footfall.rebuild', true);
    statement text;
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %s', current_database(), owner);
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA public TO %s', owner);

    IF rebuild <> '' THEN
        -- IF NOT EXISTS would print a notice at every start.
        IF to_regnamespace(quote_ident(rebuild)) IS NULL THEN
            EXECUTE format('CREATE SCHEMA %I', rebuild);
        END IF;
        EXECUTE format('ALTER SCHEMA %I OWNER TO %s', rebuild, owner);
    END IF;

    FOR statement IN
        SELECT format('ALTER TABLE %s OWNER TO %s', c.oid::regclass, owner)
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace
        AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND c.relowner <> owner
        -- The sequence of a column follows its table, and an extension keeps its own objects.
        AND NOT EXISTS (
            SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass
            AND d.objid = c.oid
            AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i')))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO %s', p.oid::regprocedure, owner)
        FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace
        AND p.proowner <> owner
        AND NOT EXISTS (
            SELECT FROM pg_depend d
            WHERE d.classid = 'pg_proc'::regclass
            AND d.objid = p.oid
            AND d.deptype = 'e')
        UNION ALL
        SELECT format('ALTER TYPE %s OWNER TO %s', t.oid::regtype, owner)
        FROM pg_type t
        WHERE t.typnamespace = 'public'::regnamespace
        AND t.typtype IN ('e', 'd', 'r')
        AND t.typowner <> owner
        AND NOT EXISTS (
            SELECT FROM pg_depend d
            WHERE d.classid = 'pg_type'::regclass
            AND d.objid = t.oid
            AND d.deptype = 'e')
    LOOP
        EXECUTE statement;
    END LOOP;

    FOREACH reader IN ARRAY string_to_array(current_setting('footfall.readers'), ',')::regrole[]
    LOOP
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %s', current_database(), reader);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %s', reader);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA public TO %s', reader);
        EXECUTE format(
            'ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA public GRANT SELECT ON TABLES TO %s',
            owner, reader);
    END LOOP;

    -- Migrations and the publisher of changes take turns by advisory locks, which are only numbers. By default every role that
    -- may connect may take them, and a role that holds one stops the service without a trace.
    FOR statement IN
        SELECT format(
            'REVOKE ALL ON FUNCTION %1$s FROM PUBLIC; GRANT EXECUTE ON FUNCTION %1$s TO %2$s',
            p.oid::regprocedure, owner)
        FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
        AND p.proname LIKE 'pg\_%advisory%'
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;

-- By default every role that may connect may fill the disk with large objects. Footfall has none.
REVOKE ALL ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
