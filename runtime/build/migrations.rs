//! Lists a folder of migrations. The build scripts of services use it, so that a new migration is a
//! new file and nothing else.

use std::{env, error::Error, fs, path::Path};

/// What a build script returns.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The files of a folder in the order of their numbers: number, words and name of each.
pub fn read(folder: &str) -> Result<Vec<(i64, String, String)>> {
    println!("cargo:rerun-if-changed={folder}");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let parts = name
            .strip_suffix(".sql")
            .and_then(|stem| stem.split_once('_'));
        let (number, words) = parts
            .ok_or_else(|| format!("{folder}/{name}: name a migration like 0003_some_words.sql"))?;
        let number = number
            .parse()
            .map_err(|error| format!("{folder}/{name}: {error}"))?;
        files.push((number, words.replace('_', " "), name));
    }
    files.sort();
    for pair in files.windows(2) {
        if let [(number, ..), (other, ..)] = pair
            && number == other
        {
            return Err(format!("{folder}: two migrations have the number {number}").into());
        }
    }
    Ok(files)
}

/// Writes the list that `runtime::database::migrations` takes.
pub fn write_list(folder: &str) -> Result<()> {
    let mut list = vec!["&[".to_owned()];
    for (number, words, name) in read(folder)? {
        let path = format!("/{folder}/{name}");
        let text = format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))");
        list.push(format!("    ({number}, {words:?}, {text}),"));
    }
    list.push("]".to_owned());
    write("migrations.rs", &list.join("\n"))
}

/// Writes a file for `include!` with the path `concat!(env!("OUT_DIR"), "/<name>")`.
pub fn write(name: &str, text: &str) -> Result<()> {
    let folder = env::var("OUT_DIR")?;
    Ok(fs::write(Path::new(&folder).join(name), text)?)
}
