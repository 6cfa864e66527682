//! Tests of what the server's processes, other users and error messages can reveal.

use super::*;

#[tokio::test]
async fn the_server_does_not_inherit_our_environment() {
    let (_dir, home) = home();
    // Any variable of this test can represent a secret, which would go the same way.
    let ours = std::env::vars_os().filter(|(name, _)| name != "PATH");
    assert!(ours.count() > 1, "nothing to keep from the server");
    let Some(server) = start(&home).await else {
        return;
    };
    let mut admin = connect(&server, "postgres").await;
    admin
        .execute("CREATE TABLE environment (line text)")
        .await
        .unwrap();
    let copy = "COPY environment FROM PROGRAM 'env' WITH (DELIMITER E'\\x01')";
    admin.execute(copy).await.unwrap();
    let rows = sqlx::query("SELECT split_part(line, '=', 1) FROM environment ORDER BY 1")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    // Variables that the server and the shell set themselves.
    let own = ["PWD", "OLDPWD", "SHLVL", "_", "LC_ALL"];
    let foreign: Vec<&String> = names
        .iter()
        .filter(|name| !own.contains(&name.as_str()) && !name.starts_with("PG"))
        .filter(|name| !["PATH", "LD_LIBRARY_PATH"].contains(&name.as_str()))
        .filter(|name| !name.starts_with("LC_"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(names.contains(&"PATH".to_owned()), "{names:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn files_are_closed_to_other_users() {
    let (_dir, home) = home();
    std::fs::create_dir_all(&home).unwrap();
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o755)).unwrap();
    let Some(server) = start(&home).await else {
        return;
    };
    for entry in std::fs::read_dir(&home).unwrap().chain(
        std::fs::read_dir(home.parent().unwrap())
            .unwrap()
            .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path() == home)),
    ) {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", entry.path().display());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn errors_omit_lines_of_the_servers_source() {
    let (_dir, home) = home();
    let Some(server) = start(&home).await else {
        return;
    };
    let mut connection = connect(&server, "postgres").await;
    let error = connection.execute("SELECT absent").await.unwrap_err();
    assert!(error.to_string().contains(" at line "), "{error}");
    let message = runtime::database::message(&error);
    assert!(
        message.ends_with("column \"absent\" does not exist"),
        "{message}"
    );
    let migrating = sqlx::migrate::MigrateError::ExecuteMigration(error, 3);
    let message = runtime::database::message(&migrating);
    assert!(
        message.contains("absent") && !message.contains("at line"),
        "{message}"
    );
    let refused = server.run("no_such_database", &[], "SELECT 1").await;
    let refused = refused.unwrap_err().to_string();
    assert!(!refused.contains("at line"), "{refused}");
    server.stop().await.unwrap();
}
