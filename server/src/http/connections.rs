//! Limits the number of connections, and closes the stalled ones.

use std::{
    collections::HashMap,
    io::{IoSlice, Result},
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_io_timeout::TimeoutStream;

use super::limits::Limits;

/// Whether an address may have any number of connections. A reverse proxy carries the connections
/// of all its clients.
pub type IsExempt = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Least time between two log messages about refused connections.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The slots for connections, in all and by address.
#[derive(Clone)]
pub struct Slots {
    total: Arc<Semaphore>,
    taken: Arc<Mutex<Taken>>,
    per_address: usize,
    is_exempt: IsExempt,
}

#[derive(Default)]
struct Taken {
    by_address: HashMap<IpAddr, usize>,
    logged: Option<Instant>,
}

impl Slots {
    /// Creates the slots, all free.
    pub fn new(limits: &Limits, is_exempt: IsExempt) -> Self {
        Self {
            total: Arc::new(Semaphore::new(limits.connections)),
            taken: Arc::default(),
            per_address: limits.connections_per_address,
            is_exempt,
        }
    }

    /// Waits for a free slot among all connections.
    pub async fn free(&self) -> Option<OwnedSemaphorePermit> {
        self.total.clone().acquire_owned().await.ok()
    }

    /// Takes a slot for a connection. `None` if its address has too many.
    pub fn take(&self, permit: OwnedSemaphorePermit, peer: IpAddr) -> Option<Slot> {
        let counted = (!(self.is_exempt)(peer)).then(|| client(peer));
        if let Some(client) = counted {
            let mut taken = self.taken.lock();
            let count = taken.by_address.entry(client).or_default();
            if *count >= self.per_address {
                taken.log(peer);
                return None;
            }
            *count += 1;
        }
        Some(Slot {
            slots: self.clone(),
            counted,
            _permit: permit,
        })
    }

    fn release(&self, client: IpAddr) {
        let mut taken = self.taken.lock();
        if let Some(count) = taken.by_address.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&client);
            }
        }
    }
}

impl Taken {
    fn log(&mut self, peer: IpAddr) {
        if self.logged.is_none_or(|last| last.elapsed() > LOG_EVERY) {
            self.logged = Some(Instant::now());
            tracing::warn!(%peer, "closed a new connection; its address has too many (see `connections_per_address`)");
        }
    }
}

/// Maps an address to its client. With IPv6, one client usually has a whole /64 network.
fn client(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

/// The slot of one connection. Dropping it releases the slot.
pub struct Slot {
    slots: Slots,
    counted: Option<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(client) = self.counted {
            self.slots.release(client);
        }
    }
}

/// The byte stream of a client. It keeps its slot after an upgrade. A write fails if the client has
/// read nothing for too long, be it a page, server-sent events or messages of a WebSocket.
pub struct Connection<S> {
    stream: Pin<Box<TimeoutStream<S>>>,
    _slot: Slot,
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    /// Wraps an accepted connection. Its writes time out after `stalled`.
    pub fn new(stream: S, slot: Slot, stalled: Duration) -> Self {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(stalled));
        Self {
            stream: Box::pin(stream),
            _slot: slot,
        }
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncRead for Connection<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        self.stream.as_mut().poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.stream.as_mut().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.stream.as_mut().poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use futures::FutureExt;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time::sleep,
    };

    use super::*;

    fn slots(connections: usize, connections_per_address: usize) -> Slots {
        let limits = Limits {
            connections,
            connections_per_address,
            ..Limits::default()
        };
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        Slots::new(&limits, Arc::new(move |address| address == proxy))
    }

    async fn take(slots: &Slots, peer: &str) -> Option<Slot> {
        let permit = slots.free().await.unwrap();
        slots.take(permit, peer.parse().unwrap())
    }

    #[tokio::test]
    async fn an_address_has_so_many_connections_and_a_proxy_any_number() {
        let slots = slots(10, 2);
        let first = take(&slots, "192.0.2.1").await;
        let second = take(&slots, "::ffff:192.0.2.1").await;
        assert!(first.is_some() && second.is_some());
        assert!(take(&slots, "192.0.2.1").await.is_none());
        let mut others = Vec::new();
        for peer in [
            "192.0.2.2",
            "10.0.0.1",
            "10.0.0.1",
            "10.0.0.1",
            "2001:db8::1",
            "2001:db8::2",
        ] {
            others.push(take(&slots, peer).await.unwrap());
        }
        assert!(take(&slots, "2001:db8::3").await.is_none());
        drop(first);
        assert!(take(&slots, "192.0.2.1").await.is_some());
        drop((second, others));
        assert!(slots.taken.lock().by_address.is_empty());
        assert_eq!(slots.total.available_permits(), 10);
    }

    #[tokio::test]
    async fn one_more_connection_waits_until_another_ends() {
        let slots = slots(1, 9);
        let only = take(&slots, "192.0.2.1").await;
        assert!(slots.free().now_or_never().is_none());
        drop(only);
        assert!(slots.free().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_cut_and_a_slow_one_is_not() {
        let (mut client, server) = duplex(64);
        let slots = slots(1, 1);
        let slot = take(&slots, "192.0.2.1").await.unwrap();
        let mut connection = Connection::new(server, slot, Duration::from_secs(30));
        let slow = tokio::spawn(async move {
            let mut some = [0; 64];
            for _ in 0..4 {
                sleep(Duration::from_secs(25)).await;
                client.read_exact(&mut some).await.unwrap();
            }
            client
        });
        let began = Instant::now();
        let error = connection.write_all(&[7; 1000]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), Duration::from_secs(4 * 25 + 30));
        slow.await.unwrap();
    }
}
