-- The roles: one for each service and one for people, none with a right beyond its own tables. They have no
-- password at first, so they cannot log in until they get one. Run it as a superuser, as often as you like.
--
-- footfall_api        owns the main database's tables and reads the analytics database
-- footfall_projector  owns the analytics database's tables
-- footfall_reader     reads both, for psql and for other programs
SET search_path TO pg_catalog;

DO $$
DECLARE
    wanted record;
    rights CONSTANT text :=
        'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT %s';
BEGIN
    -- Together they leave some of the server's 100 connections to its administrator.
    FOR wanted IN
        SELECT *
        FROM (VALUES ('footfall_api', 50), ('footfall_projector', 25), ('footfall_reader', 20))
            AS roles (name, connections)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            EXECUTE format('CREATE ROLE %I', wanted.name);
        END IF;
        EXECUTE format('ALTER ROLE %I ' || rights, wanted.name, wanted.connections);
    END LOOP;
END
$$;

-- Refuses a write by mistake, before rights are checked.
ALTER ROLE footfall_reader SET default_transaction_read_only = on;
-- A session left idle within a transaction would hold back vacuum and migrations.
ALTER ROLE footfall_reader SET idle_in_transaction_session_timeout = '10min';
