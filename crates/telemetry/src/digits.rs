//! Numbers in decimal, by table.

use std::net::Ipv4Addr;

/// Digits of the longest number.
pub(crate) const MOST: usize = 20;

/// Bytes of the longest address, and of a dot after it.
pub(crate) const IPV4_BYTES: usize = 16;

/// Writes `number` at the front of `to`; returns how many digits that is.
#[inline]
pub(crate) fn write(number: u64, to: &mut [u8; MOST]) -> usize {
    if number < 10_000 {
        return write_short(number as u32, to);
    }
    let length = if number < 100_000_000 {
        write_short((number / 10_000) as u32, to)
    } else {
        write_long(number / 10_000, to)
    };
    to[length..length + 4].copy_from_slice(&four((number % 10_000) as u32));
    length + 4
}

/// Of a number below 10,000.
#[inline]
fn write_short(number: u32, to: &mut [u8; MOST]) -> usize {
    match number {
        0..10 => {
            to[0] = b'0' + number as u8;
            1
        }
        10..100 => {
            to[..2].copy_from_slice(&PAIRS[number as usize]);
            2
        }
        100..1_000 => {
            to[..3].copy_from_slice(&four(number)[1..]);
            3
        }
        _ => {
            to[..4].copy_from_slice(&four(number));
            4
        }
    }
}

#[cold]
fn write_long(number: u64, to: &mut [u8; MOST]) -> usize {
    write(number, to)
}

/// The four digits of a number below 10,000.
#[inline]
pub(crate) fn four(number: u32) -> [u8; 4] {
    let [a, b] = PAIRS[(number / 100) as usize];
    let [c, d] = PAIRS[(number % 100) as usize];
    [a, b, c, d]
}

/// Writes `address` at the front of `to`; returns how many bytes that is.
#[inline]
pub(crate) fn write_ipv4(address: Ipv4Addr, to: &mut [u8; IPV4_BYTES]) -> usize {
    let mut end = 0;
    for octet in address.octets() {
        let (digits, length) = OCTETS[usize::from(octet)];
        to[end..end + 4].copy_from_slice(&digits);
        end += usize::from(length);
    }
    end - 1
}

/// The digits of the numbers below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < pairs.len() {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
};

/// The numbers below 256 with a dot after each, and how many bytes that is.
const OCTETS: [([u8; 4], u8); 256] = {
    let mut octets = [([0; 4], 0); 256];
    let mut number = 0;
    while number < octets.len() {
        let [tens, ones] = PAIRS[number % 100];
        octets[number] = match number {
            0..10 => ([ones, b'.', 0, 0], 2),
            10..100 => ([tens, ones, b'.', 0], 3),
            _ => ([b'0' + (number / 100) as u8, tens, ones, b'.'], 4),
        };
        number += 1;
    }
    octets
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_written_as_everywhere() {
        let mut to = [b'x'; MOST];
        let powers = (0..MOST as u32).flat_map(|exponent| {
            let power = 10_u64.pow(exponent);
            [power - 1, power, power + 1, power + power / 7 * 4]
        });
        for number in (0..20_000).chain(powers).chain([u64::MAX, u64::MAX - 1]) {
            let length = write(number, &mut to);
            assert_eq!(to[..length], *number.to_string().as_bytes());
        }
    }

    #[test]
    fn addresses_are_written_as_everywhere() {
        let mut to = [b'x'; IPV4_BYTES];
        for octet in 0..=u8::MAX {
            for address in [[octet; 4], [0, octet, 255, 1], [octet, 0, 10, octet]] {
                let address = Ipv4Addr::from(address);
                let length = write_ipv4(address, &mut to);
                assert_eq!(to[..length], *address.to_string().as_bytes());
            }
        }
    }
}
