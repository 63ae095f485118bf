//! As much of Thrift's compact protocol as the header of a Parquet page takes:
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.

/// What the header of a page says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Bytes when unpacked.
    pub unpacked: u64,
    /// Its values are made from the ones before (DELTA_BYTE_ARRAY).
    pub is_delta: bool,
}

const DELTA_BYTE_ARRAY: i64 = 7;
/// Structs within structs; a page header has three.
const DEEPEST: u32 = 16;

/// Reads the header at the beginning of `bytes`; `None` when it is damaged or not whole.
pub(crate) fn page(bytes: &[u8]) -> Option<Page> {
    let mut reader = Reader { bytes, at: 0 };
    let mut page = Page { unpacked: 0, is_delta: false };
    let mut sized = false;
    reader.fields(DEEPEST, |reader, field, kind| {
        match (field, kind) {
            (2, I32) => {
                page.unpacked = u64::try_from(reader.zigzag()?).ok()?;
                sized = true;
            }
            // Of a data page, the first form and the second.
            (5, STRUCT) => page.is_delta |= reader.encoding(2)? == Some(DELTA_BYTE_ARRAY),
            (8, STRUCT) => page.is_delta |= reader.encoding(4)? == Some(DELTA_BYTE_ARRAY),
            _ => reader.skip(kind, DEEPEST)?,
        }
        Some(())
    })?;
    sized.then_some(page)
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        self.varint().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Goes through the fields of a struct up to its end.
    fn fields(&mut self, deepest: u32, mut each: impl FnMut(&mut Self, i64, u8) -> Option<()>) -> Option<()> {
        deepest.checked_sub(1)?;
        let mut field = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            field = match head >> 4 {
                0 => self.zigzag()?,
                more => field.checked_add(i64::from(more))?,
            };
            each(self, field, head & 0xf)?;
        }
    }

    /// Reads a struct and returns its field `wanted`, an encoding.
    fn encoding(&mut self, wanted: i64) -> Option<Option<i64>> {
        let mut found = None;
        self.fields(DEEPEST, |reader, field, kind| {
            if (field, kind) == (wanted, I32) {
                found = Some(reader.zigzag()?);
                return Some(());
            }
            reader.skip(kind, DEEPEST - 1)
        })?;
        Some(found)
    }

    fn skip(&mut self, kind: u8, deepest: u32) -> Option<()> {
        match kind {
            TRUE | FALSE => Some(()),
            BYTE => self.pass(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.pass(8),
            BINARY => {
                let length = self.varint()?;
                self.pass(length)
            }
            LIST | SET => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                // In a list a truth value is a byte.
                let kind = if matches!(head & 0xf, TRUE | FALSE) { BYTE } else { head & 0xf };
                let deepest = deepest.checked_sub(1)?;
                // Each takes a byte at least, so that a count too large ends with the bytes.
                (0..count).try_for_each(|_| self.skip(kind, deepest))
            }
            STRUCT => self.fields(deepest, |reader, _, kind| reader.skip(kind, deepest - 1)),
            _ => None,
        }
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(bytes).ok()?)?;
        (self.at <= self.bytes.len()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data page of 300 values in 1,000 bytes, 77 when packed, of this encoding; with statistics.
    fn header(encoding: u8) -> Vec<u8> {
        let zigzag = |value: u64| vec![(2 * value) as u8 | 0x80, ((2 * value) >> 7) as u8];
        let statistics = [&[0x18, 3][..], b"abc", &[0]].concat();
        let data =
            [&[0x15][..], &zigzag(300), &[0x15, 2 * encoding, 0x15, 0, 0x15, 0, 0x1c], &statistics, &[0]];
        [&[0x15, 0, 0x15][..], &zigzag(1000), &[0x15], &zigzag(77), &[0x2c], &data.concat(), &[0]].concat()
    }

    #[test]
    fn reads_what_a_page_unpacks_to() {
        assert_eq!(page(&header(0)), Some(Page { unpacked: 1000, is_delta: false }));
        assert_eq!(page(&header(7)), Some(Page { unpacked: 1000, is_delta: true }));
        let whole = header(0);
        for length in 0..whole.len() {
            assert_eq!(page(&whole[..length]), None, "{length} bytes");
        }
    }
}
