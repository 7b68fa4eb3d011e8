//! The writer task: the only caller of [`Store::write`]. Requests queue here; up to [`BATCH`] of them commit as one
//! transaction. While one batch is on its way to the disk the next one gathers, so a lone request never waits for
//! company and a crowd shares one commit.
//!
//! It runs in a task of its own, so a client that hangs up never leaves a transaction open.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::{Committed, Result, Store, StoreError, WriteOutcome, WriteRequest};

/// Most requests in one transaction.
pub const BATCH: usize = 256;

type Waiting = (WriteRequest, oneshot::Sender<Result<WriteOutcome>>);

enum Message {
    Write(Waiting),
    Close,
}

/// Hands requests to the writer task. Clones share it.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Message>,
    ended: watch::Receiver<()>,
}

impl Writer {
    /// Starts the task. `committed` is called after each commit and before anybody is answered, so that whoever was
    /// answered finds the change in what `committed` fed. The task ends when the last clone is dropped, after
    /// [`Writer::close`], or when the disk fails; it answers everything that is queued first.
    pub fn spawn(store: Arc<dyn Store>, committed: impl FnMut(&Committed) + Send + 'static) -> Self {
        let (queue, messages) = mpsc::channel(4 * BATCH);
        let (alive, ended) = watch::channel(());
        tokio::spawn(async move {
            run(store, messages, committed).await;
            drop(alive);
        });
        Self { queue, ended }
    }

    /// Queues a request and waits until it is on the disk. Dropping the future once it is queued does not undo it.
    pub async fn submit(&self, request: WriteRequest) -> Result<WriteOutcome> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .send(Message::Write((request, answer)))
            .await
            .map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// How many requests wait right now.
    pub fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Takes no more requests, and returns when all that were queued are answered.
    pub async fn close(&self) {
        // Where it can't be sent, the task has ended.
        let _ = self.queue.send(Message::Close).await;
        self.closed().await;
    }

    /// Returns when the task has ended. If nobody closed it, the disk failed: the process must end.
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
        // What one request can't be written for must not keep the others from being written: then each is a batch of its own.
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
                        // Nobody may be waiting any more. The request is done all the same.
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

#[cfg(test)]
mod tests;
