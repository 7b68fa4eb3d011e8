//! Adds people with logins, for a benchmark that needs thousands of them: a password check is slow
//! on purpose, and the benchmark does not measure it. This needs write access to the database; the
//! product itself has no such entrance.
//!
//! `cargo run --release -p store-sqlite --example crowd -- FOLDER NOW` reads lines `NAME HASH` from
//! its standard input. HASH is the SHA-256 of the person's token in hexadecimal, as the database
//! stores it. FOLDER is a data directory, NOW the time in milliseconds since 1970. These people
//! have no password.

use std::{error::Error, io, path::Path};

use session::{Actor, Role, Timestamp, UserId};
use store::{Login, NewLogin, Store, User};
use store_sqlite::Sqlite;
use uuid::Uuid;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(now)) = (arguments.next(), arguments.next()) else {
        return Err("usage: crowd FOLDER NOW".into());
    };
    let now = Timestamp::from_timestamp_millis(now.parse()?).ok_or("NOW is no time")?;
    let store = Sqlite::open(Path::new(&folder)).await?;
    for line in io::stdin().lines() {
        let line = line?;
        let (name, hash) = line.split_once(' ').ok_or("a line is a name and a hash")?;
        add(&store, name, digest(hash).ok_or("a hash has 64 digits")?, now).await?;
    }
    Ok(())
}

async fn add(store: &dyn Store, name: &str, token_hash: [u8; 32], at: Timestamp) -> store::Result<()> {
    let user = User {
        id: UserId(Uuid::now_v7()),
        number: 0,
        username: name.into(),
        password_hash: String::new(),
        role: Role::User,
        created_at: at,
        blocked: false,
        must_change_password: false,
    };
    store.add_user(&user, &Actor::System, at).await?;
    let login = Login {
        token_hash,
        user_id: user.id,
        created_at: at,
        seen_at: at,
    };
    let new = NewLogin {
        login,
        verified_hash: String::new(),
        network: "127.0.0.1".into(),
        by: Actor::System,
    };
    store.add_login(&new).await.map(drop)
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let (first, last) = text.split_at_checked(32)?;
    let mut bytes = [0; 32];
    for (half, text) in bytes.chunks_mut(16).zip([first, last]) {
        half.copy_from_slice(&u128::from_str_radix(text, 16).ok()?.to_be_bytes());
    }
    Some(bytes)
}
