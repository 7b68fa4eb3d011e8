//! A display server with one still picture: the minimum of RFC 6143 that a real client (noVNC)
//! needs.

use std::io;

use environments::rfb::Message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};

const WIDTH: u16 = 320;
const HEIGHT: u16 = 200;
const NAME: &[u8] = b"Simulated";

/// 32 bits per pixel, depth 24, little-endian, true colour, 8 bits each, red in the highest: RFC
/// 6143, 7.4.
const PIXEL_FORMAT: [u8; 16] = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];

/// Serves one client until it disconnects.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    stream.write_all(b"RFB 003.008\n").await?;
    stream.read_exact(&mut [0; 12]).await?;
    stream.write_all(&[1, 1]).await?; // one security type: None
    stream.read_u8().await?;
    stream.write_all(&[0; 4]).await?; // accepted
    stream.read_u8().await?;
    stream.write_all(&server_init()).await?;
    let mut bytes_per_pixel = PIXEL_FORMAT[0] / 8;
    loop {
        let message = read_message(&mut stream).await?;
        match message[0] {
            0 => bytes_per_pixel = (message[4] / 8).clamp(1, 4),
            // An incremental request asks for changes, and there are none. It stays open, as with a
            // real server: after an empty answer the client would repeat the request at once,
            // indefinitely.
            3 if message[1] == 0 => stream.write_all(&update(bytes_per_pixel.into())).await?,
            _ => {}
        }
    }
}

/// Reads one message and returns its part before the text, list or payload.
async fn read_message<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let refused = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut header = vec![stream.read_u8().await?];
    let message = Message::of(header[0]).map_err(refused)?;
    loop {
        let (read, wanted) = (header.len(), message.header(&header).map_err(refused)?);
        if read == wanted {
            break;
        }
        header.resize(wanted, 0);
        stream.read_exact(&mut header[read..]).await?;
    }
    let body = message.body(&header);
    copy(&mut stream.take(body), &mut sink()).await?;
    Ok(header)
}

fn server_init() -> Vec<u8> {
    let name_length = [0, 0, 0, NAME.len() as u8];
    [
        &WIDTH.to_be_bytes()[..],
        &HEIGHT.to_be_bytes(),
        &PIXEL_FORMAT,
        &name_length,
        NAME,
    ]
    .concat()
}

/// One raw rectangle: the whole screen, in two shades, so that it is visible.
fn update(bytes_per_pixel: usize) -> Vec<u8> {
    let mut message = vec![0, 0, 0, 1, 0, 0, 0, 0];
    message.extend(WIDTH.to_be_bytes());
    message.extend(HEIGHT.to_be_bytes());
    message.extend([0; 4]); // encoding: raw
    let half = usize::from(WIDTH) * usize::from(HEIGHT) / 2 * bytes_per_pixel;
    message.resize(message.len() + half, 0x33);
    message.resize(message.len() + half, 0x66);
    message
}
