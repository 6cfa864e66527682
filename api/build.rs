//! Lists the migrations of the main database, and finds the newest one of the analytics database.

#[path = "../runtime/build/migrations.rs"]
mod migrations;

fn main() -> migrations::Result<()> {
    migrations::write_list("migrations")?;
    let newest = migrations::read("../projector/migrations")?.pop();
    let (number, ..) = newest.ok_or("the projector has no migrations")?;
    migrations::write("analytics_schema.rs", &number.to_string())
}
