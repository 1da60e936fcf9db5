//! Bytes of a line that is being written.

/// Length of a buffer that holds anything: most lines fit.
const FIRST_BYTES: usize = 1_024;

/// Longest buffer that is kept for the next line.
const KEEP_BYTES: usize = 4 * 1_024;

/// A buffer that is written to from the front. Unlike a vector's, all of its memory is in use from
/// the start, so that a writer who does not know yet how much it will be gets room for the most,
/// and tells how much it was: one check a member, and no second copy.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// How many of them are written; not more than there are.
    end: usize,
}

impl Buffer {
    pub(crate) const fn new() -> Self {
        Buffer { bytes: Vec::new(), end: 0 }
    }

    /// Empties it, and gives back what an overlong line took.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.end = 0;
        if self.bytes.len() > KEEP_BYTES {
            self.bytes = Vec::new();
        }
    }

    /// What was written.
    #[inline]
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// Room for so many bytes more. They count as written when [`Self::fill`] says so.
    #[inline(always)]
    pub(crate) fn room(&mut self, length: usize) -> &mut [u8] {
        // In this form the compiler checks the room only once, and knows how long it is.
        if self.end <= self.bytes.len() && length <= self.bytes.len() - self.end {
            &mut self.bytes[self.end..][..length]
        } else {
            &mut self.grow(length)[..length]
        }
    }

    /// So many bytes of the room are written.
    #[inline(always)]
    pub(crate) fn fill(&mut self, length: usize) {
        self.end += length;
    }

    /// Appends the parts. Inlined, because to copy as many bytes as are known beforehand is a few
    /// moves.
    #[inline(always)]
    pub(crate) fn append<const N: usize>(&mut self, parts: [&[u8]; N]) {
        let length = parts.iter().fold(0, |length, part| length + part.len());
        let mut room = self.room(length);
        for part in parts {
            let to;
            (to, room) = room.split_at_mut(part.len());
            to.copy_from_slice(part);
        }
        self.fill(length);
    }

    /// Takes back what was written after the first `end` bytes.
    #[inline]
    pub(crate) fn rewind(&mut self, end: usize) {
        self.end = self.end.min(end);
    }

    /// Writes over the beginning.
    #[inline(always)]
    pub(crate) fn replace_front<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.bytes[..N].copy_from_slice(bytes);
    }

    #[cold]
    fn grow(&mut self, length: usize) -> &mut [u8] {
        let needed = self.end + length;
        self.bytes.resize(needed.next_power_of_two().max(FIRST_BYTES), 0);
        &mut self.bytes[self.end..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_filled_is_written() {
        let mut buffer = Buffer::new();
        assert_eq!(buffer.written(), b"");
        buffer.append([b"a", b"", b"bc"]);
        buffer.room(5).copy_from_slice(b"defgh");
        buffer.fill(2);
        buffer.append([b"x"]);
        assert_eq!(buffer.written(), b"abcdex");
        buffer.rewind(3);
        buffer.replace_front(b"AB");
        buffer.append([b"y"]);
        assert_eq!(buffer.written(), b"ABcy");
        buffer.clear();
        assert_eq!(buffer.written(), b"");
    }

    #[test]
    fn it_grows_and_gives_back_what_is_too_much() {
        let mut buffer = Buffer::new();
        for length in [0, 1, FIRST_BYTES, 3 * FIRST_BYTES, KEEP_BYTES] {
            buffer.append([&vec![b'x'; length]]);
        }
        assert_eq!(buffer.written(), vec![b'x'; 1 + 4 * FIRST_BYTES + KEEP_BYTES]);
        buffer.clear();
        assert_eq!(buffer.bytes.capacity(), 0);
        buffer.append([b"y"]);
        buffer.clear();
        assert_eq!(buffer.bytes.len(), FIRST_BYTES);
    }
}
