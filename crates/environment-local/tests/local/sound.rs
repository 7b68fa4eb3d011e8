//! The sound of a session, judged by the samples that arrive.

use std::time::Duration;

use environments::{Environment, Signal, Sound, StartSpec};
use session::SessionId;
use tokio::{io::AsyncReadExt, time::timeout};

use crate::kit::{TIMEOUT, Trial, end_of, processes, spec, with_mounts};

/// Frames of the sound in one second.
const RATE: usize = 48_000;

/// Plays a tone of 440 Hz for a minute with the client of PulseAudio, and then waits.
const TONE: &str = r#"perl -e '$| = 1; print pack("s<2", (20000 * sin(6.283185307 * 440 * $_ / 48000)) x 2) for 0..48000*60' |
    paplay --raw --rate=48000 --channels=2 --format=s16le --latency-msec=100; sleep 60"#;

/// Writes as much as it can into the FIFO of the server of sound, past that server.
const FLOOD: &str = r#"exec cat /dev/zero | tr '\0' '\1' >"$XDG_RUNTIME_DIR/pulse/out""#;

impl Trial {
    async fn with_sound(&mut self, script: &str) -> SessionId {
        let spec = StartSpec {
            sound: true,
            ..spec(&["sh", "-c", script])
        };
        self.environment.start(spec.clone()).await.unwrap();
        assert_eq!(self.next_signal().await, Signal::Ready(spec.session_id));
        spec.session_id
    }
}

/// The left samples of the next second in which something sounds.
async fn next_second(sound: &mut Sound) -> Vec<i16> {
    let mut bytes = vec![0; 4];
    let one = async {
        while bytes == [0; 4] {
            sound.read_exact(&mut bytes).await.unwrap();
        }
        bytes.resize(RATE * 4, 0);
        sound.read_exact(&mut bytes[4..]).await.unwrap();
    };
    timeout(TIMEOUT, one).await.unwrap();
    let (frames, _) = bytes.as_chunks::<4>();
    frames
        .iter()
        .map(|[low, high, ..]| i16::from_le_bytes([*low, *high]))
        .collect()
}

/// Twice the frequency of a tone.
fn sign_changes(samples: &[i16]) -> usize {
    samples.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count()
}

#[tokio::test]
async fn a_tone_arrives_as_it_was_played() {
    let mut trial = Trial::new();
    let id = trial.with_sound(TONE).await;
    let mut sound = trial.environment.sound(id).unwrap();
    let samples = next_second(&mut sound).await;
    let changes = sign_changes(&samples);
    assert!((860..=900).contains(&changes), "{changes} changes of sign in a second");
    let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max();
    assert!(loudest > Some(15_000), "{loudest:?}");
    trial.environment.stop(id).await.unwrap();
    trial.leaves_nothing(id);
}

/// The server of sound plays silence for a second before it rests.
#[tokio::test]
async fn nothing_arrives_while_nothing_plays() {
    let mut trial = Trial::new();
    let id = trial.with_sound("sleep 60").await;
    let mut sound = trial.environment.sound(id).unwrap();
    let mut bytes = vec![0; 65536];
    let rests = async {
        while let Ok(read) = timeout(Duration::from_secs(3), sound.read(&mut bytes)).await {
            let count = read.unwrap();
            assert!(count > 0 && bytes[..count].iter().all(|byte| *byte == 0));
        }
    };
    timeout(TIMEOUT, rests).await.unwrap();
    trial.environment.stop(id).await.unwrap();
}

#[tokio::test]
async fn without_the_permission_nothing_that_plays_is_started() {
    let mut trial = Trial::new();
    let script = "pactl info; [ $? = 1 ] || exit 11; [ -S \"$XDG_RUNTIME_DIR/pulse/native\" ] && exit 12; sleep 60";
    let id = trial.running(&["sh", "-c", script]).await;
    assert!(trial.environment.sound(id).is_none());
    let names: Vec<String> = processes(id).into_iter().map(|seen| seen.name).collect();
    assert!(
        !names.iter().any(|name| name == "pulseaudio" || name == "dd"),
        "{names:?}"
    );
    trial.environment.stop(id).await.unwrap();
}

#[tokio::test]
async fn a_flood_waits_for_its_reader_and_the_session_goes_on() {
    let mut trial = Trial::new();
    let id = trial.with_sound(FLOOD).await;
    let mut sound = trial.environment.sound(id).unwrap();
    let mut bytes = vec![0; 4 << 20];
    timeout(TIMEOUT, sound.read_exact(&mut bytes)).await.unwrap().unwrap();
    assert!(bytes.iter().all(|byte| *byte <= 1));
    let mut greeting = [0; 12];
    let mut display = trial.environment.connect(id).await.unwrap();
    timeout(TIMEOUT, display.read_exact(&mut greeting))
        .await
        .unwrap()
        .unwrap();
    trial.environment.stop(id).await.unwrap();
    trial.leaves_nothing(id);
}

#[tokio::test]
async fn the_sound_ends_when_the_application_ends_its_server() {
    let mut trial = Trial::new();
    let id = trial
        .with_sound("read -r server <\"$XDG_RUNTIME_DIR/pulse/pid\"; kill -9 $server; sleep 60")
        .await;
    let mut sound = trial.environment.sound(id).unwrap();
    let mut rest = Vec::new();
    timeout(TIMEOUT, sound.read_to_end(&mut rest)).await.unwrap().unwrap();
    trial.environment.stop(id).await.unwrap();
}

/// The server of sound and its pump are no part of the application.
#[tokio::test]
async fn an_application_that_played_ends_like_any_other() {
    let mut trial = Trial::new();
    let id = trial.with_sound("head -c 96000 /dev/zero | paplay --raw").await;
    assert_eq!(trial.next_signal().await, Signal::Closed(id));
    trial.leaves_nothing(id);
}

/// The first has no server of sound, in the second it fails at its start.
#[tokio::test]
async fn a_host_without_sound_runs_the_session_all_the_same() {
    for program in ["/dev/null", "/bin/false"] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = with_mounts(&format!("mount --bind {program} /usr/bin/pulseaudio"));
        let script = "pgrep -x dd >/dev/null && exit 8; exit 7";
        let reason = end_of(folder.path(), &mut server, &["sh", "-c", script]);
        assert!(
            reason.contains("the application ended with status 7"),
            "{program}: {reason}"
        );
    }
}
