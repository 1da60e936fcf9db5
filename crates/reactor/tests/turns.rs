//! Turns over real sockets: what brings one, and that none that is needed is missing.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use reactor::{Handle, Next, Reactor, Stream, Task, Turn};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a task tells the test.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Bytes(Vec<u8>),
    End,
    Dropped,
}

/// Reads in pieces of `piece` bytes and tells what came.
struct Reading {
    stream: Stream,
    piece: usize,
    news: Sender<News>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Task for Reading {
    fn run(&mut self, turn: &mut Turn<'_, '_>) -> Next {
        *self.waker.lock() = Some(turn.context.waker().clone());
        self.stream.note_ready(turn.ready);
        loop {
            let mut bytes = vec![0; self.piece];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(turn.context, &mut buffer) {
                Poll::Pending => return Next::Wait,
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                    self.news.send(News::End).expect("the test listens");
                    return Next::End;
                }
                Poll::Ready(Ok(())) => {
                    let bytes = buffer.filled().to_vec();
                    self.news.send(News::Bytes(bytes)).expect("the test listens");
                }
                Poll::Ready(Err(error)) => panic!("{error}"),
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // The test may be over.
        let _ = self.news.send(News::Dropped);
    }
}

/// A reactor on a thread of its own.
fn start() -> Handle {
    let (give, take) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let reactor = Reactor::new().expect("an epoll instance");
            give.send(reactor.handle()).expect("the test waits");
            reactor.run().await;
        });
    });
    take.recv_timeout(PATIENCE).expect("a reactor")
}

/// Two ends of a connection; the second is in non-blocking mode.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let ours = TcpStream::connect(listener.local_addr().expect("bound")).expect("a connection");
    let (theirs, _) = listener.accept().expect("a connection");
    theirs.set_nonblocking(true).expect("a socket");
    (ours, theirs)
}

fn read_in_reactor(
    handle: &Handle,
    socket: TcpStream,
    piece: usize,
) -> (Receiver<News>, Arc<Mutex<Option<Waker>>>) {
    let (news, told) = channel();
    let waker = Arc::new(Mutex::new(None));
    let task_waker = Arc::clone(&waker);
    handle
        .adopt(socket, move |stream| Box::new(Reading { stream, piece, news, waker: task_waker }));
    (told, waker)
}

fn next(news: &Receiver<News>) -> News {
    news.recv_timeout(PATIENCE).expect("a turn in time")
}

#[test]
fn bytes_that_came_before_at_once_and_later_are_all_read() {
    let handle = start();
    let (mut ours, theirs) = pair();
    ours.write_all(b"before").expect("written");
    let (news, _) = read_in_reactor(&handle, theirs, 64);
    assert_eq!(next(&news), News::Bytes(b"before".to_vec()));
    for _ in 0..100 {
        ours.write_all(b"later").expect("written");
        assert_eq!(next(&news), News::Bytes(b"later".to_vec()));
    }
}

#[test]
fn bytes_right_before_the_end_and_the_end_are_seen_however_they_fall_together() {
    let handle = start();
    for _ in 0..200 {
        let (mut ours, theirs) = pair();
        let (news, _) = read_in_reactor(&handle, theirs, 64);
        ours.write_all(b"last").expect("written");
        ours.shutdown(Shutdown::Write).expect("a socket");
        assert_eq!(next(&news), News::Bytes(b"last".to_vec()));
        assert_eq!(next(&news), News::End);
        assert_eq!(next(&news), News::Dropped);
    }
}

#[test]
fn a_buffer_that_is_filled_to_the_brim_is_read_on_from() {
    let handle = start();
    let (mut ours, theirs) = pair();
    let (news, _) = read_in_reactor(&handle, theirs, 4);
    ours.write_all(&[7; 10]).expect("written");
    let mut read = Vec::new();
    while read.len() < 10 {
        let News::Bytes(bytes) = next(&news) else { panic!("the end") };
        read.extend(bytes);
    }
    assert_eq!(read, [7; 10]);
}

#[test]
fn a_task_can_be_woken_from_any_thread_and_after_its_end() {
    let handle = start();
    let (ours, theirs) = pair();
    let (give, turns) = channel();
    struct Counting(Sender<Waker>, usize, #[expect(dead_code)] Stream);
    impl Task for Counting {
        fn run(&mut self, turn: &mut Turn<'_, '_>) -> Next {
            self.1 += 1;
            self.0.send(turn.context.waker().clone()).expect("the test listens");
            if self.1 == 100 { Next::End } else { Next::Wait }
        }
    }
    handle.adopt(theirs, move |stream| Box::new(Counting(give, 0, stream)));
    let mut waker = turns.recv_timeout(PATIENCE).expect("a turn");
    let mut seen = 1;
    while seen < 100 {
        waker.wake();
        waker = turns.recv_timeout(PATIENCE).expect("a turn");
        seen += 1;
    }
    waker.wake();
    assert!(turns.recv_timeout(PATIENCE).is_err(), "the task is gone");
    drop(ours);
}

/// Panics at its first turn.
struct Panicking(#[expect(dead_code)] Stream);

impl Task for Panicking {
    fn run(&mut self, _: &mut Turn<'_, '_>) -> Next {
        panic!("on purpose");
    }
}

#[test]
fn a_panic_ends_its_own_connection_alone() {
    let handle = start();
    let (mut ours, theirs) = pair();
    let (news, _) = read_in_reactor(&handle, theirs, 64);
    let (mut lost, panicking) = pair();
    handle.adopt(panicking, |stream| Box::new(Panicking(stream)));
    lost.set_read_timeout(Some(PATIENCE)).expect("a socket");
    assert_eq!(lost.read(&mut [0; 8]).expect("the end"), 0);
    ours.write_all(b"still").expect("written");
    assert_eq!(next(&news), News::Bytes(b"still".to_vec()));
}

/// Writes until the socket is full, and again at every turn, until everything is written.
struct Writing {
    stream: Stream,
    left: usize,
}

impl Task for Writing {
    fn run(&mut self, turn: &mut Turn<'_, '_>) -> Next {
        let bytes = [1; 64 * 1024];
        while self.left > 0 {
            let length = self.left.min(bytes.len());
            match Pin::new(&mut self.stream).poll_write(turn.context, &bytes[..length]) {
                Poll::Pending => return Next::Wait,
                Poll::Ready(written) => self.left -= written.expect("a peer that reads"),
            }
        }
        Next::End
    }
}

#[test]
fn a_socket_that_was_full_brings_a_turn_when_it_takes_more() {
    let handle = start();
    let (mut ours, theirs) = pair();
    let all = 16 * 1024 * 1024;
    handle.adopt(theirs, move |stream| Box::new(Writing { stream, left: all }));
    std::thread::sleep(Duration::from_millis(50));
    let mut read = 0;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match ours.read(&mut buffer).expect("a peer that writes") {
            0 => break,
            length => read += length,
        }
    }
    assert_eq!(read, all);
}

/// Leaves at its first turn and echoes from a task of the runtime.
struct Leaving(Option<Stream>);

impl Task for Leaving {
    fn run(&mut self, turn: &mut Turn<'_, '_>) -> Next {
        let mut stream = self.0.take().expect("one turn");
        stream.leave(turn).expect("a runtime");
        tokio::spawn(async move {
            let mut bytes = [0; 4];
            while stream.read_exact(&mut bytes).await.is_ok() {
                stream.write_all(&bytes).await.expect("a peer that reads");
            }
        });
        Next::End
    }
}

#[test]
fn a_connection_can_leave_for_the_runtime() {
    let handle = start();
    let (mut ours, theirs) = pair();
    handle.adopt(theirs, |stream| Box::new(Leaving(Some(stream))));
    ours.set_read_timeout(Some(PATIENCE)).expect("a socket");
    for _ in 0..3 {
        ours.write_all(b"ping").expect("written");
        let mut bytes = [0; 4];
        ours.read_exact(&mut bytes).expect("the echo");
        assert_eq!(&bytes, b"ping");
    }
}
