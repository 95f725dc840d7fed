//! PDF files: their objects, streams, pages in order, and metadata.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem;

use super::{
    software::{Field, xmp},
    syntax::{Reader, Value, hexadecimal, is_space},
};

/// What all streams of a document together may take, packed and unpacked.
const STREAM_BUDGET: usize = 32 * 1024 * 1024;
/// Nodes and leaves of the page tree.
const PAGES: usize = 4000;

/// An object, and the stream that belongs to it.
#[derive(Debug)]
pub(super) struct Object<'a> {
    value: Value<'a>,
    stream: Option<&'a [u8]>,
}

/// Objects by number; of several with one number the last in the file counts.
type Objects<'a> = BTreeMap<u32, Object<'a>>;

/// Collects what looks like an object, without trusting any cross-reference table.
pub(super) fn objects(content: &[u8]) -> Objects<'_> {
    let mut objects = BTreeMap::new();
    let mut rest = content;
    let finder = memmem::Finder::new(b" obj");
    // Behind it there is no need to look for one again and again.
    let last_end = memmem::rfind(content, b"endstream").unwrap_or(0);
    while let Some(mark) = finder.find(rest) {
        let (before, after) = rest.split_at_checked(mark).unwrap_or((rest, &[]));
        rest = after.get(4..).unwrap_or_default();
        let Some(number) = object_number(before) else {
            continue;
        };
        let body = body(rest);
        let Some(value) = Reader::new(body).value() else {
            continue;
        };
        rest = rest.get(body.len()..).unwrap_or_default();
        let ends = content.len() - rest.len() < last_end;
        let stream = ends.then(|| stream(rest, &value)).flatten();
        rest = rest
            .get(stream.map_or(0, <[u8]>::len)..)
            .unwrap_or_default();
        objects.insert(number, Object { value, stream });
    }
    objects
}

/// An unpacked object stream (PDF 1.5): many objects in one.
#[derive(Debug)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    /// Number, start and end of each.
    places: Vec<(u32, usize, usize)>,
}

/// Unpacks every object stream.
pub(super) fn packed(objects: &Objects<'_>) -> Vec<Packed> {
    let mut budget = STREAM_BUDGET;
    objects
        .values()
        .filter(|object| is(&object.value, "ObjStm"))
        .filter_map(|object| Packed::new(object, &mut budget))
        .collect()
}

impl Packed {
    fn new(object: &Object<'_>, budget: &mut usize) -> Option<Self> {
        let bytes = object.decode(budget)?;
        let first = object.value.entry("First")?.count()?;
        let mut header = Reader::new(bytes.get(..first)?);
        let numbers: Vec<usize> = std::iter::from_fn(|| header.value()?.count()).collect();
        let starts = numbers.chunks_exact(2).map(|pair| match pair {
            [number, offset] => Some((u32::try_from(*number).ok()?, first.checked_add(*offset)?)),
            _ => None,
        });
        let starts: Vec<(u32, usize)> = starts.collect::<Option<_>>()?;
        // Otherwise they could overlap, and every one be as long as the stream.
        if !starts.is_sorted_by_key(|(_, start)| *start) {
            return None;
        }
        let ends = starts
            .iter()
            .skip(1)
            .map(|(_, start)| *start)
            .chain([bytes.len()]);
        let places = starts
            .iter()
            .zip(ends)
            .map(|((number, start), end)| (*number, *start, end));
        let places = places.collect();
        Some(Self { bytes, places })
    }

    fn objects(&self) -> impl Iterator<Item = (u32, Object<'_>)> {
        self.places.iter().filter_map(|(number, start, end)| {
            let value = Reader::new(self.bytes.get(*start..*end)?).value()?;
            Some((
                *number,
                Object {
                    value,
                    stream: None,
                },
            ))
        })
    }
}

/// A document's objects, the packed ones too.
#[derive(Debug)]
pub(super) struct Pdf<'a> {
    objects: Objects<'a>,
}

impl<'a> Pdf<'a> {
    pub(super) fn new(mut objects: Objects<'a>, packed: &'a [Packed]) -> Self {
        for (number, object) in packed.iter().flat_map(Packed::objects) {
            objects.entry(number).or_insert(object);
        }
        Self { objects }
    }

    fn value(&self, number: u32) -> Option<&Value<'a>> {
        self.objects.get(&number).map(|object| &object.value)
    }

    /// The content of each page in order; `None` if any of it cannot be read.
    pub(super) fn pages(&self) -> Option<Vec<Vec<u8>>> {
        let catalogs = self
            .objects
            .values()
            .filter(|object| is(&object.value, "Catalog"));
        let root = catalogs
            .filter_map(|object| object.value.entry("Pages")?.reference())
            .next_back()?;
        let mut budget = STREAM_BUDGET;
        let mut waiting = vec![root];
        let mut seen = BTreeSet::new();
        let mut pages = Vec::new();
        while let Some(number) = waiting.pop() {
            // A tree has every node once; anything else might never end.
            if !seen.insert(number) || seen.len() + waiting.len() > PAGES {
                return None;
            }
            let node = self.value(number)?;
            match node.entry("Kids") {
                None => pages.push(self.content(node, &mut budget)?),
                Some(kids) => {
                    for kid in kids.elements().iter().rev() {
                        waiting.push(kid.reference()?);
                    }
                }
            }
        }
        Some(pages)
    }

    fn content(&self, page: &Value<'_>, budget: &mut usize) -> Option<Vec<u8>> {
        let Some(mut contents) = page.entry("Contents") else {
            return Some(Vec::new());
        };
        // The contents may be a reference to an array of references.
        if let Some(object) = contents
            .reference()
            .and_then(|number| self.objects.get(&number))
            && object.stream.is_none()
        {
            contents = &object.value;
        }
        let mut whole = Vec::new();
        for part in contents.elements() {
            let object = self.objects.get(&part.reference()?)?;
            whole.extend(object.decode(budget)?);
            // A token cannot go on in the next stream.
            whole.push(b'\n');
        }
        Some(whole)
    }

    /// What the document says of the software that made it: the information dictionary and
    /// XMP, of every revision that the file still holds.
    pub(super) fn metadata(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut budget = STREAM_BUDGET;
        for object in self.objects.values() {
            for name in ["Creator", "Producer"] {
                let value = object.value.entry(name);
                let value = match value.and_then(Value::reference) {
                    Some(number) => self.value(number),
                    None => value,
                };
                let text = value.and_then(Value::text);
                fields.extend(text.map(|text| Field {
                    name,
                    value: decode_text(text),
                }));
            }
            if is(&object.value, "Metadata")
                && let Some(packet) = object.decode(&mut budget)
            {
                fields.extend(xmp(&packet));
            }
        }
        fields
    }
}

fn is(value: &Value<'_>, kind: &str) -> bool {
    value.entry("Type").is_some_and(|own| own.is_name(kind))
}

impl Object<'_> {
    /// The stream, unpacked; what goes in and comes out is taken off the budget.
    fn decode(&self, budget: &mut usize) -> Option<Vec<u8>> {
        let parameters = self
            .value
            .entry("DecodeParms")
            .map(Value::elements)
            .unwrap_or_default();
        let predicted = |value: &Value<'_>| value.entry("Predictor")?.count();
        if parameters
            .iter()
            .filter_map(predicted)
            .any(|predictor| predictor > 1)
        {
            return None;
        }
        let stream = self.stream?;
        *budget = budget.checked_sub(stream.len())?;
        let mut bytes = stream.to_vec();
        for filter in self
            .value
            .entry("Filter")
            .map(Value::elements)
            .unwrap_or_default()
        {
            bytes = if filter.is_name("FlateDecode") || filter.is_name("Fl") {
                miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(&bytes, *budget).ok()?
            } else if filter.is_name("ASCII85Decode") || filter.is_name("A85") {
                ascii85(&bytes)?
            } else if filter.is_name("ASCIIHexDecode") || filter.is_name("AHx") {
                hexadecimal(bytes.split(|byte| *byte == b'>').next()?)
            } else {
                return None;
            };
            *budget = budget.checked_sub(bytes.len())?;
        }
        Some(bytes)
    }
}

/// The object number in `… 12 0`, which stands before ` obj`.
fn object_number(before: &[u8]) -> Option<u32> {
    let tail = before.get(before.len().saturating_sub(20)..)?;
    let mut words = tail.rsplit(|byte| !byte.is_ascii_digit());
    let (_generation, number) = (words.next().filter(|word| !word.is_empty())?, words.next()?);
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// What stands before the end of an object or the start of its stream.
fn body(rest: &[u8]) -> &[u8] {
    // Whichever comes first, found without scanning past it.
    let end = memchr::memchr2_iter(b'e', b's', rest).find(|at| {
        rest.get(*at..)
            .is_some_and(|tail| tail.starts_with(b"endobj") || tail.starts_with(b"stream"))
    });
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

/// The bytes of a stream, if one starts here.
fn stream<'a>(rest: &'a [u8], value: &Value<'_>) -> Option<&'a [u8]> {
    let data = rest.strip_prefix(b"stream")?;
    let data = data.strip_prefix(b"\r").unwrap_or(data);
    let data = data.strip_prefix(b"\n").unwrap_or(data);
    let declared = value
        .entry("Length")
        .and_then(Value::count)
        .filter(|length| {
            // Trusted only if the end is where it says.
            data.get(*length..).is_some_and(|tail| {
                let tail = tail.get(..12).unwrap_or(tail).trim_ascii_start();
                tail.starts_with(b"endstr")
            })
        });
    let length = declared.or_else(|| memmem::find(data, b"endstream"))?;
    let bytes = data.get(..length)?;
    Some(bytes)
}

fn decode_text(text: &[u8]) -> String {
    match text {
        [0xfe, 0xff, wide @ ..] => {
            let units = wide.chunks_exact(2).map(|pair| {
                pair.iter()
                    .fold(0, |unit, byte| unit << 8 | u16::from(*byte))
            });
            char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        [0xef, 0xbb, 0xbf, utf8 @ ..] => String::from_utf8_lossy(utf8).into_owned(),
        latin => latin.iter().copied().map(char::from).collect(),
    }
}

fn ascii85(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len() / 5 * 4);
    let mut group = Vec::with_capacity(5);
    for byte in encoded {
        match byte {
            b'~' => break,
            b'z' if group.is_empty() => decoded.extend([0; 4]),
            b'!'..=b'u' => group.push(u32::from(byte - b'!')),
            space if is_space(*space) => {}
            _ => return None,
        }
        if group.len() == 5 {
            decoded.extend(ascii85_group(&group)?);
            group.clear();
        }
    }
    if group.len() > 1 {
        let kept = group.len() - 1;
        group.resize(5, 84);
        decoded.extend(ascii85_group(&group)?.into_iter().take(kept));
    }
    Some(decoded)
}

fn ascii85_group(digits: &[u32]) -> Option<[u8; 4]> {
    let value = digits.iter().try_fold(0_u32, |value, digit| {
        value.checked_mul(85)?.checked_add(*digit)
    })?;
    Some(value.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pages(content: &[u8]) -> Option<Vec<Vec<u8>>> {
        let objects = objects(content);
        let packed = packed(&objects);
        Pdf::new(objects, &packed).pages()
    }

    /// Objects with the numbers given, without a cross-reference table.
    fn file(objects: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = b"%PDF-1.7\n".to_vec();
        for (number, body) in objects {
            bytes.extend(format!("{number} 0 obj\n").bytes());
            bytes.extend(body);
            bytes.extend(b"\nendobj\n");
        }
        bytes
    }

    fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
        let mut body = format!("<< /Length {} {entries} >>\nstream\n", data.len()).into_bytes();
        body.extend(data);
        body.extend(b"\nendstream");
        body
    }

    fn tree() -> Vec<(u32, Vec<u8>)> {
        vec![
            (1, b"<< /Type /Catalog /Pages 2 0 R >>".to_vec()),
            (2, b"<< /Type /Pages /Kids [4 0 R 3 0 R] >>".to_vec()),
            (3, b"<< /Type /Page /Contents [5 0 R 6 0 R] >>".to_vec()),
            (4, b"<< /Type /Page /Contents 7 0 R >>".to_vec()),
        ]
    }

    #[test]
    fn pages_come_in_the_order_of_the_tree_through_every_filter() {
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(b"packed", 6);
        let mut objects = tree();
        objects.extend([
            (5, stream("/Filter /FlateDecode", &packed)),
            (6, stream("/Filter [/ASCII85Decode]", b"87cURD]i,\"Ebo80~>")),
            (7, stream("/Filter /ASCIIHexDecode", b"66 69 72 73 74>")),
        ]);
        let pages = pages(&file(&objects)).unwrap();
        assert_eq!(
            pages,
            [b"first\n".to_vec(), b"packed\nHello World!\n".to_vec()]
        );
    }

    #[test]
    fn a_later_revision_replaces_and_a_wrong_length_is_noticed() {
        let mut objects = tree();
        objects.extend([
            (5, stream("", b"old")),
            (6, b"<< /Length 9999 >> stream\r\nsix\nendstream".to_vec()),
            (7, b"<< /Length 8 0 R >> stream\nseven endstream".to_vec()),
            (5, stream("", b"new")),
        ]);
        let pages = pages(&file(&objects)).unwrap();
        assert_eq!(pages, [b"seven \n".to_vec(), b"new\nsix\n\n".to_vec()]);
    }

    #[test]
    fn what_cannot_be_read_makes_no_pages() {
        let mut objects = tree();
        objects.extend([
            (5, stream("/Filter /LZWDecode", b"x")),
            (6, stream("", b"six")),
        ]);
        objects.push((7, stream("", b"seven")));
        assert_eq!(pages(&file(&objects)), None);
        // A tree that contains itself.
        let cycle = file(&[
            (1, b"<< /Type /Catalog /Pages 2 0 R >>".to_vec()),
            (2, b"<< /Type /Pages /Kids [2 0 R 2 0 R] >>".to_vec()),
        ]);
        assert_eq!(pages(&cycle), None);
    }

    #[test]
    fn inflating_is_bounded_over_the_whole_document() {
        let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b' '; STREAM_BUDGET / 2], 6);
        let mut objects = tree();
        for number in 5..8 {
            objects.push((number, stream("/Filter /FlateDecode", &bomb)));
        }
        assert_eq!(pages(&file(&objects)), None);
    }

    #[test]
    fn metadata_is_found_packed_wide_and_in_xmp() {
        let inside = b"9 0 << /Producer <FEFF00530065006A00640061> >>";
        let content = file(&[
            (3, b"<< /Creator (Canva) /Producer 4 0 R >>".to_vec()),
            (4, b"(by reference)".to_vec()),
            (5, stream("/Type /ObjStm /N 1 /First 4", inside)),
            (
                6,
                stream(
                    "/Type /Metadata",
                    b"<xmp:CreatorTool>GIMP</xmp:CreatorTool>",
                ),
            ),
        ]);
        let objects = objects(&content);
        let packed = packed(&objects);
        let metadata = Pdf::new(objects, &packed).metadata();
        let values: Vec<_> = metadata.into_iter().map(|field| field.value).collect();
        assert_eq!(values, ["Canva", "by reference", "GIMP", "Sejda"]);
    }

    #[test]
    fn packed_objects_may_not_overlap() {
        for (order, count) in [("1 0 2 8 ", 2), ("1 8 2 0 ", 0)] {
            let inside = [order.as_bytes(), b"<</A 1>><</B 2>>"].concat();
            let content = file(&[(9, stream("/Type /ObjStm /N 2 /First 8", &inside))]);
            let objects = objects(&content);
            let packed = packed(&objects);
            assert_eq!(
                packed.iter().flat_map(Packed::objects).count(),
                count,
                "{order}"
            );
        }
    }

    #[test]
    fn many_unfinished_objects_are_read_in_one_pass() {
        // Quadratic reading would take minutes here.
        objects(&b"1 0 obj ((((".repeat(100_000));
        objects(&b"1 0 obj << >> stream ".repeat(200_000));
    }

    proptest! {
        #[test]
        fn every_text_survives_ascii85(bytes: Vec<u8>) {
            let mut encoded = String::new();
            for chunk in bytes.chunks(4) {
                let mut group = [0; 4];
                group[..chunk.len()].copy_from_slice(chunk);
                let value = u32::from_be_bytes(group);
                let digits = (0..5).rev().map(|power| (value / 85_u32.pow(power) % 85) as u8);
                encoded.extend(digits.take(chunk.len() + 1).map(|digit| char::from(digit + b'!')));
            }
            prop_assert_eq!(ascii85(encoded.as_bytes()), Some(bytes));
        }
    }
}
