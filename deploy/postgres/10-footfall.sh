#!/usr/bin/env bash
# Creates Footfall's databases and roles on a PostgreSQL server, or updates them. Running it again is safe.
# sql/roles.sql defines the roles, sql/rights.sql their rights.
#
# The image of PostgreSQL runs it on an empty volume. On a volume that is in use already:
#   docker compose exec postgres /docker-entrypoint-initdb.d/10-footfall.sh
# On your own server, as a superuser (PGHOST, PGPORT, PGUSER, PGPASSWORD):
#   API_DATABASE_PASSWORD=... PROJECTOR_DATABASE_PASSWORD=... deploy/postgres/10-footfall.sh
# footfall_reader, the role for people, cannot log in until READER_DATABASE_PASSWORD is given as well.
set -euo pipefail

sql=$(dirname "${BASH_SOURCE[0]}")/sql
export PGUSER="${PGUSER:-${POSTGRES_USER:-postgres}}"
export MAIN_DATABASE="${MAIN_DATABASE:-footfall}"
export ANALYTICS_DATABASE="${ANALYTICS_DATABASE:-${MAIN_DATABASE}_analytics}"

run() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"; }

run --dbname postgres --file "$sql/roles.sql"
# psql reads the passwords from the environment: every user of the machine can see arguments.
for role in api projector reader; do
    variable=$(tr '[:lower:]' '[:upper:]' <<<"$role")_DATABASE_PASSWORD
    if [ -n "${!variable:-}" ]; then
        run --dbname postgres <<SQL
SET log_min_error_statement = panic;
\\getenv password $variable
ALTER ROLE footfall_$role PASSWORD :'password';
SQL
    fi
done

# UTF8, regardless of the server's default: the services refuse other encodings.
run --dbname postgres <<'SQL'
\getenv main MAIN_DATABASE
\getenv analytics ANALYTICS_DATABASE
SELECT format('CREATE DATABASE %I ENCODING ''UTF8'' TEMPLATE template0', name)
FROM unnest(ARRAY[:'main', :'analytics']) AS names (name)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec
SQL

PGOPTIONS="-c footfall.owner=footfall_api -c footfall.readers=footfall_reader" \
    run --dbname "$MAIN_DATABASE" --file "$sql/rights.sql"
PGOPTIONS="-c footfall.owner=footfall_projector -c footfall.readers=footfall_api,footfall_reader -c footfall.rebuild=footfall_rebuild" \
    run --dbname "$ANALYTICS_DATABASE" --file "$sql/rights.sql"
