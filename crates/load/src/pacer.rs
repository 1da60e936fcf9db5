//! Hands out requests at their intended times.

use std::io;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::net::unix::pipe::Receiver;

use crate::backlog::Backlog;
use crate::schedule::Schedule;

/// A timer of the operating system. The runtime's own timer counts in milliseconds, which is more
/// than a message takes.
pub(crate) struct Timer {
    /// A timer is read like a pipe: eight bytes when it has expired.
    descriptor: Receiver,
}

impl Timer {
    /// A timer that is not running. Must be called inside a runtime.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self { descriptor: Receiver::from_owned_fd_unchecked(descriptor)? })
    }

    async fn sleep(&self, duration: Duration) -> io::Result<()> {
        // A duration of zero would stop the timer instead.
        let duration = duration.max(Duration::from_nanos(1));
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec::try_from(duration).map_err(|_| io::ErrorKind::InvalidInput)?,
        };
        timerfd_settime(&self.descriptor, TimerfdTimerFlags::empty(), &once)?;
        loop {
            self.descriptor.readable().await?;
            match self.descriptor.try_read(&mut [0_u8; 8]) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Puts every request that is due between `start` and `end` into the backlog, at its time.
///
/// # Errors
/// When the timer fails.
pub(crate) async fn pace(
    timer: &Timer,
    schedule: Schedule,
    (start, end): (Instant, Instant),
    backlog: &Backlog,
) -> io::Result<()> {
    let intended = (0..).map(|index| start + schedule.due(index));
    for intended in intended.take_while(|intended| *intended < end) {
        let wait = intended.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            timer.sleep(wait).await?;
        }
        backlog.offer(intended);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_come_at_their_times_and_not_before() {
        let timer = Timer::new().unwrap();
        let backlog = Backlog::new(100);
        let start = Instant::now();
        let end = start + Duration::from_millis(20);
        pace(&timer, Schedule::new(1000, 0, 1), (start, end), &backlog).await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(19));
        assert_eq!(backlog.figures().scheduled, 20);
        assert_eq!(backlog.take().await, Some(start));
        assert_eq!(backlog.take().await, Some(start + Duration::from_millis(1)));
    }

    #[tokio::test]
    async fn a_pacer_that_is_late_makes_up_for_it_with_the_old_times() {
        let timer = Timer::new().unwrap();
        let backlog = Backlog::new(100);
        let start = Instant::now() - Duration::from_millis(50);
        let end = start + Duration::from_millis(40);
        pace(&timer, Schedule::new(1000, 0, 1), (start, end), &backlog).await.unwrap();
        assert_eq!(backlog.figures().scheduled, 40);
        assert_eq!(backlog.take().await, Some(start));
    }
}
