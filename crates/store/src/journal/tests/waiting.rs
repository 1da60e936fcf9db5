//! Who waits is told, once, in order.

use super::*;

#[test]
fn waiters_are_told_in_the_order_of_their_tickets() {
    let (memory, journal) = always();
    memory.hold();
    let tickets: Vec<_> = (0..20_u8).map(|key| journal.write(&put(&[key], b"v"))).collect();
    let (tell, told) = mpsc::channel();
    for index in [3_usize, 19, 0, 7, 7, 1, 18] {
        let tell = tell.clone();
        journal.when_durable(tickets[index], move |result| tell.send((index, result)).unwrap());
    }
    memory.release();
    let order: Vec<_> = (0..7).map(|_| told.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(order, [0, 1, 3, 7, 7, 18, 19].map(|index| (index, Ok(()))));
}

#[test]
fn a_durable_ticket_is_answered_by_the_caller_at_once() {
    let (_memory, journal) = always();
    let ticket = journal.write(&put(b"key", b"value"));
    journal.close();
    let here = thread::current().id();
    let (tell, told) = mpsc::channel();
    journal.when_durable(ticket, move |result| {
        tell.send((thread::current().id(), result)).unwrap();
    });
    assert_eq!(told.try_recv(), Ok((here, Ok(()))));
}

#[test]
fn nobody_is_told_before_a_waiter_that_came_first() {
    let (memory, journal) = always();
    memory.hold();
    let first = journal.write(&put(b"a", b"1"));
    let (tell, told) = mpsc::channel();
    let (entered, is_entered) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    journal.when_durable(first, {
        let tell = tell.clone();
        move |_| {
            entered.send(()).unwrap();
            may_go_on.recv_timeout(PATIENCE).unwrap();
            tell.send("first").unwrap();
        }
    });
    memory.release();
    is_entered.recv_timeout(PATIENCE).unwrap();
    assert!(journal.is_durable(first));
    journal.when_durable(first, move |_| tell.send("second").unwrap());
    go_on.send(()).unwrap();
    let order = [(); 2].map(|()| told.recv_timeout(PATIENCE).unwrap());
    assert_eq!(order, ["first", "second"]);
}

#[test]
fn a_waiter_may_use_the_journal() {
    let (_memory, journal) = always();
    let (tell, told) = mpsc::channel();
    let ticket = journal.write(&put(b"a", b"1"));
    let again = Arc::clone(&journal);
    journal.when_durable(ticket, move |_| {
        let _together = again.together();
        let next = again.write(&put(b"b", b"2"));
        again.when_durable(next, move |result| tell.send(result).unwrap());
    });
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Ok(())));
}

#[test]
fn a_waiter_that_panics_takes_nobody_along() {
    let (memory, journal) = always();
    memory.hold();
    let ticket = journal.write(&put(b"a", b"1"));
    journal.when_durable(ticket, |_| panic!("a waiter's mistake"));
    let (tell, told) = mpsc::channel();
    journal.when_durable(ticket, move |result| tell.send(result).unwrap());
    memory.release();
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Ok(())));
    let next = journal.write(&put(b"b", b"2"));
    settled(&journal, next).unwrap();
}

#[test]
fn every_waiter_of_many_threads_is_told_once() {
    const THREADS: u8 = 8;
    const WRITES: usize = 300;
    let (_memory, journal) = always();
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (journal, tell) = (&journal, tell.clone());
            scope.spawn(move || {
                for number in 0..WRITES {
                    let ticket = journal.write(&put(&[thread], &number.to_be_bytes()));
                    let tell = tell.clone();
                    journal.when_durable(ticket, move |result| {
                        tell.send((thread, number, result)).unwrap();
                    });
                }
            });
        }
    });
    drop(tell);
    let mut next = [0; THREADS as usize];
    for _ in 0..usize::from(THREADS) * WRITES {
        let (thread, number, result) = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!((number, result), (next[usize::from(thread)], Ok(())));
        next[usize::from(thread)] += 1;
    }
    assert!(told.recv_timeout(PATIENCE).is_err(), "nobody is told twice");
}
