//! The writer task: the only caller of [`Sessions::write`](crate::Sessions::write). Requests queue
//! here, and up to [`BATCH`] of them commit as one transaction. The next batch gathers while one is
//! written to the disk: a single request never waits for others, and many requests share one
//! commit.
//!
//! It is a task of its own, so a client that disconnects never leaves a transaction open.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::{Committed, Result, Store, StoreError, WriteOutcome, WriteRequest};

/// The most requests in one transaction.
pub const BATCH: usize = 256;

type Waiting = (WriteRequest, oneshot::Sender<Result<WriteOutcome>>);

enum Message {
    Write(Waiting),
    Close,
}

/// The queue of the writer task. Clones share it.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Message>,
    ended: watch::Receiver<()>,
}

impl Writer {
    /// Starts the task. It calls `committed` after each commit and before it answers the requests:
    /// a caller that has its answer finds the change in everything that `committed` feeds. The task
    /// ends when the last clone is dropped, after [`Writer::close`], or when the disk fails. It
    /// answers all queued requests first.
    pub fn spawn(store: Arc<dyn Store>, committed: impl FnMut(&Committed) + Send + 'static) -> Self {
        let (queue, messages) = mpsc::channel(4 * BATCH);
        let (alive, ended) = watch::channel(());
        tokio::spawn(async move {
            run(store, messages, committed).await;
            drop(alive);
        });
        Self { queue, ended }
    }

    /// Queues a request and waits until it is on the disk. A request that is queued is written,
    /// even if the future is dropped.
    pub async fn submit(&self, request: WriteRequest) -> Result<WriteOutcome> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .send(Message::Write((request, answer)))
            .await
            .map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// The number of queued requests.
    pub fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Takes no more requests, and returns when all queued requests are answered.
    pub async fn close(&self) {
        // A send error means that the task has ended.
        let _ = self.queue.send(Message::Close).await;
        self.closed().await;
    }

    /// Returns when the task has ended. Without [`Writer::close`] this means that the disk failed:
    /// the process must end.
    pub async fn closed(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }
}

async fn run(store: Arc<dyn Store>, mut messages: mpsc::Receiver<Message>, mut committed: impl FnMut(&Committed)) {
    let mut gathered = Vec::with_capacity(BATCH);
    let mut failed = None;
    while messages.recv_many(&mut gathered, BATCH).await > 0 {
        let mut batch = Vec::with_capacity(gathered.len());
        let mut answers = Vec::with_capacity(gathered.len());
        for message in gathered.drain(..) {
            match message {
                Message::Write((request, answer)) => {
                    batch.push(request);
                    answers.push(answer);
                }
                Message::Close => messages.close(),
            }
        }
        if batch.is_empty() {
            continue;
        }
        // If one request may be at fault, each is written as a batch of its own, so that the others
        // succeed.
        let mut parts = vec![(batch, answers)];
        while let Some((batch, answers)) = parts.pop() {
            let done = match &failed {
                None => store.write(&batch).await,
                Some(error) => Err(StoreError::clone(error)),
            };
            match done {
                Ok(done) => {
                    committed(&done);
                    for (answer, to) in done.outcomes.into_iter().zip(answers) {
                        // A send error means that the caller is gone. The request is done
                        // nevertheless.
                        let _ = to.send(Ok(answer));
                    }
                }
                Err(error) if batch.len() > 1 && error.may_be_one_requests() => {
                    let single = batch.into_iter().zip(answers);
                    parts.extend(single.rev().map(|(request, answer)| (vec![request], vec![answer])));
                }
                Err(error) => {
                    if let StoreError::Disk(_) = error {
                        messages.close();
                        failed = Some(error.clone());
                    }
                    for to in answers {
                        let _ = to.send(Err(error.clone()));
                    }
                }
            }
        }
    }
}
