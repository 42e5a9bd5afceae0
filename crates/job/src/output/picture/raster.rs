//! Converts text to a PNG file: lines of comma-separated integers become rows
//! of pixels as they arrive, in pieces of any length.

use super::palette::{MISSING, Palette, colours, opacities};
use crate::mutex::lock;
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter, StreamWriter};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// Receives rows as text and writes a picture. An empty line is a row that was
/// not computed; it is transparent, as are rows that never arrive. The flush at
/// the end completes the picture.
pub(crate) struct Raster {
    out: Box<dyn Write + Send>,
    side: u32,
    palette: Palette,
    /// The row that is being read.
    row: Vec<u8>,
    /// The number that is being read.
    number: Option<u32>,
    /// How many rows are complete.
    rows: u32,
    state: RasterState,
}

enum RasterState {
    /// Nothing was written: the file is unchanged.
    Untouched,
    /// Some rows were written.
    Begun(Box<Png>),
    /// The picture is complete.
    Done,
}

/// The encoder, which writes to memory and so can't fail, and the memory.
struct Png {
    encoder: StreamWriter<'static, Encoded>,
    encoded: Encoded,
}

/// Encoded bytes that are not written yet. The encoder owns its writer, drops
/// it with its errors and flushes at any time, so it gets this one.
#[derive(Clone, Default)]
struct Encoded(Arc<Mutex<Vec<u8>>>);

impl Write for Encoded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Encoded {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *lock(&self.0))
    }
}

impl Png {
    fn new(side: u32) -> Result<Self, EncodingError> {
        let encoded = Encoded::default();
        let mut encoder = Encoder::new(encoded.clone(), side, side);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(colours());
        encoder.set_trns(opacities());
        encoder.set_compression(Compression::Balanced);
        // Differences between colour indexes would not compress better.
        encoder.set_filter(Filter::NoFilter);
        Ok(Self { encoder: encoder.write_header()?.into_stream_writer()?, encoded })
    }
}

impl Raster {
    /// A picture of `side` × `side` pixels, with numbers up to `most`, written
    /// to `out`.
    pub(crate) fn new(out: Box<dyn Write + Send>, side: u32, most: u32) -> Self {
        let palette = Palette::new(most);
        Self { out, side, palette, row: Vec::new(), number: None, rows: 0, state: RasterState::Untouched }
    }

    fn read(&mut self, byte: u8) -> io::Result<()> {
        match byte {
            b'0'..=b'9' => {
                let number = self.number.unwrap_or(0).checked_mul(10);
                self.number = number.and_then(|number| number.checked_add(u32::from(byte - b'0')));
                if self.number.is_none() { Err(broken("a number is too large".to_owned())) } else { Ok(()) }
            }
            b',' => self.end_pixel(),
            b'\n' if self.row.is_empty() && self.number.is_none() => self.end_row(true),
            b'\n' => self.end_pixel().and_then(|()| self.end_row(false)),
            other => Err(broken(format!("'{}' is not allowed in a row of numbers", other.escape_ascii()))),
        }
    }

    fn end_pixel(&mut self) -> io::Result<()> {
        let number = self.number.take().ok_or_else(|| broken("a number is missing".to_owned()))?;
        self.row.push(self.palette.index(number));
        Ok(())
    }

    fn end_row(&mut self, is_missing: bool) -> io::Result<()> {
        let side = self.side as usize;
        if is_missing {
            self.row.resize(side, MISSING);
        }
        if self.row.len() != side || self.rows == self.side {
            return Err(broken(format!(
                "row {} has {} pixels, the picture's side is {side}",
                self.rows,
                self.row.len()
            )));
        }
        let mut png = match std::mem::replace(&mut self.state, RasterState::Done) {
            RasterState::Untouched => Box::new(Png::new(self.side)?),
            RasterState::Begun(png) => png,
            RasterState::Done => return Err(broken("a row after the last one".to_owned())),
        };
        png.encoder.write_all(&self.row)?;
        let encoded = png.encoded.take();
        self.state = RasterState::Begun(png);
        self.row.clear();
        self.rows += 1;
        self.out.write_all(&encoded)
    }
}

impl Write for Raster {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        bytes.iter().try_for_each(|&byte| self.read(byte))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if matches!(self.state, RasterState::Begun(_)) {
            self.row.clear();
            self.number = None;
            while self.rows < self.side {
                self.end_row(true)?;
            }
        }
        if let RasterState::Begun(png) = std::mem::replace(&mut self.state, RasterState::Done) {
            let Png { encoder, encoded } = *png;
            encoder.finish()?;
            self.out.write_all(&encoded.take())?;
        }
        self.out.flush()
    }
}

fn broken(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::super::palette::INSIDE;
    use super::*;
    use std::io::Cursor;

    /// What was written, and how often it was flushed.
    #[derive(Clone, Default)]
    struct RecordedFile(Arc<Mutex<(Vec<u8>, u32)>>);

    impl Write for RecordedFile {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().0.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            self.0.lock().unwrap().1 += 1;
            Ok(())
        }
    }

    /// The file's bytes after these pieces of text.
    fn encoded(side: u32, most: u32, pieces: &[&str]) -> io::Result<Vec<u8>> {
        let file = RecordedFile::default();
        let mut raster = Raster::new(Box::new(file.clone()), side, most);
        pieces.iter().try_for_each(|piece| raster.write_all(piece.as_bytes()))?;
        raster.flush()?;
        let (bytes, flushed) = file.0.lock().unwrap().clone();
        assert_eq!(flushed, 1, "the last flush closes the file");
        Ok(bytes)
    }

    /// Red, green, blue and opacity of each pixel.
    fn decoded(bytes: &[u8]) -> Vec<[u8; 4]> {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::ALPHA | png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.color_type), (info.height, ColorType::Rgba));
        reader.finish().unwrap();
        pixels.chunks(4).map(|pixel| pixel.try_into().unwrap()).collect()
    }

    fn colour(index: u8) -> [u8; 4] {
        let rgb = &colours()[usize::from(index) * 3..][..3];
        [rgb[0], rgb[1], rgb[2], opacities()[usize::from(index)]]
    }

    #[test]
    fn numbers_become_pixels_however_the_text_is_split() {
        let text = "1,2,3\n1000,10,999\n7,1000,100\n";
        let whole = encoded(3, 1000, &[text]).unwrap();
        let palette = Palette::new(1000);
        let expected = [1, 2, 3, 1000, 10, 999, 7, 1000, 100].map(|number| colour(palette.index(number)));
        assert_eq!(decoded(&whole), expected);
        assert_eq!(expected[3], [0, 0, 0, 255]);
        for cut in 1..text.len() {
            assert_eq!(encoded(3, 1000, &[&text[..cut], &text[cut..]]).unwrap(), whole, "{cut}");
        }
    }

    #[test]
    fn rows_that_were_not_computed_are_transparent() {
        let failed = encoded(3, 9, &["1,2,3\n", "\n", "9,9,9\n"]).unwrap();
        let pixels = decoded(&failed);
        assert_eq!(pixels[3..6], [colour(MISSING); 3]);
        assert_eq!((pixels[3][3], pixels[6]), (0, colour(INSIDE)));
        // The run ended in the middle of a row.
        let ended = encoded(3, 9, &["1,2,3\n1,"]).unwrap();
        assert_eq!(decoded(&ended)[3..], [colour(MISSING); 6]);
        assert_eq!(decoded(&ended)[..3], pixels[..3]);
    }

    #[test]
    fn without_a_row_nothing_is_written() {
        assert_eq!(encoded(3, 9, &[]).unwrap(), b"");
    }

    #[test]
    fn invalid_rows_are_an_error() {
        for text in ["1,2\n", "1,2,3,4\n", "1,,3\n", "1,2,x\n", "1,2,4294967296\n", "1,2,3\n1,2,3\n1,2,3\n1,2,3\n"] {
            assert_eq!(encoded(3, 9, &[text]).unwrap_err().kind(), io::ErrorKind::InvalidData, "{text}");
        }
    }

    #[test]
    fn a_write_error_is_reported_even_for_the_last_byte() {
        struct Disk(usize);
        impl Write for Disk {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let room = bytes.len().min(self.0);
                self.0 -= room;
                if room == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(room) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let text = "1,2\n3,4\n";
        let length = encoded(2, 9, &[text]).unwrap().len();
        for room in 0..=length {
            let mut raster = Raster::new(Box::new(Disk(room)), 2, 9);
            let result = raster.write_all(text.as_bytes()).and_then(|()| raster.flush());
            assert_eq!(result.is_ok(), room == length, "{room} of {length}");
        }
    }

    #[test]
    fn a_large_picture_is_written_row_by_row() {
        let file = RecordedFile::default();
        let mut raster = Raster::new(Box::new(file.clone()), 1000, 1000);
        let mut seed = 1u32;
        let mut written = 0;
        for row in 0..1000 {
            let numbers: Vec<String> = (0..1000)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (1 + (seed >> 22)).to_string()
                })
                .collect();
            raster.write_all(format!("{}\n", numbers.join(",")).as_bytes()).unwrap();
            let now = file.0.lock().unwrap().0.len();
            // The compressor buffers a bounded number of bytes.
            assert!(row < 300 || now > 0, "nothing after {row} rows");
            assert!(now - written < 512 * 1024, "{} bytes at once", now - written);
            written = now;
        }
        raster.flush().unwrap();
        assert_eq!(decoded(&file.0.lock().unwrap().0).len(), 1_000_000);
    }
}
