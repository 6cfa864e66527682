//! Lists the migrations of the analytics database.

#[path = "../runtime/build/migrations.rs"]
mod migrations;

fn main() -> migrations::Result<()> {
    migrations::write_list("migrations")
}
