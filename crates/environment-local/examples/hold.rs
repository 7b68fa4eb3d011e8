//! Runs a local environment with one session until it is killed: tests kill it and check that
//! nothing stays.
//!
//! `hold [--require-limits] [--home] RUN_DIR PROGRAM [ARGUMENT…]` writes the session's id and a newline to
//! its stdout when the session is ready. With `--home`, the session has the kept home of person 1, in the
//! folder `homes` beside RUN_DIR.

use std::{
    env,
    error::Error,
    io::{Write, stdout},
    path::PathBuf,
};

use environment_local::{LocalEnvironment, Options};
use environments::{Environment, Home, Owner, Signal, StartSpec};
use session::{SessionId, UserId, regional::Regional};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1).peekable();
    let require_limits = arguments.next_if(|word| word == "--require-limits").is_some();
    let at_home = arguments.next_if(|word| word == "--home").is_some();
    let run_dir = PathBuf::from(
        arguments
            .next()
            .ok_or("usage: hold [--require-limits] [--home] RUN_DIR PROGRAM [ARGUMENT…]")?,
    );
    let session_id = SessionId(uuid::Uuid::now_v7());
    let (signals, mut received) = mpsc::unbounded_channel();
    let options = Options {
        require_limits,
        homes: at_home.then(|| run_dir.with_file_name("homes")),
    };
    let person = Owner {
        user_id: UserId(uuid::Uuid::from_u128(1)),
        number: 1,
    };
    let environment = LocalEnvironment::new(run_dir, options, signals)?;
    environment
        .start(StartSpec {
            session_id,
            command: arguments.collect(),
            allow_user_namespaces: false,
            home: if at_home { Home::Kept(person) } else { Home::Scratch },
            sound: true,
            regional: Regional::default(),
        })
        .await?;
    while let Some(signal) = received.recv().await {
        match signal {
            Signal::Ready(id) => {
                let mut out = stdout();
                writeln!(out, "{id}")?;
                out.flush()?;
            }
            Signal::Lost(_, why) => return Err(why.into()),
            Signal::Closed(_) => return Err("the application was closed".into()),
        }
    }
    Ok(())
}
