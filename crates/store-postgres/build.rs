//! A new file among the migrations must reach the program, and `sqlx::migrate!` alone can't see
//! one.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
