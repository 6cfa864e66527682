//! Migrations are the files of their folders.

#[test]
fn every_file_of_a_schema_is_one_of_its_migrations() {
    for (schema, migrator) in [
        ("api", &api::MIGRATIONS),
        ("projector", &projector::MIGRATIONS),
    ] {
        let folder = format!("{}/../{schema}/migrations", env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        files.sort();
        let known: Vec<(String, String)> = migrator
            .iter()
            .map(|migration| {
                let description = migration.description.replace(' ', "_");
                let name = format!("{:04}_{description}.sql", migration.version);
                (name, migration.sql.as_str().to_owned())
            })
            .collect();
        assert_eq!(files, known, "{schema}");
    }
}
