// A dropped folder becomes one file: a ZIP archive whose members are stored as
// they are. Names are UTF-8 (bit 11), times are left at 1980-01-01, so that the
// same folder always makes the same bytes and its upload can be resumed.
//
// storedZip([{name, file}]) -> Promise<Blob>; the files are read one at a time.
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const UTF8_NAMES = 0x0800;
const FIRST_DAY = 0x21; // 1980-01-01 as MS-DOS counts
const MAX_MEMBERS = 65_534;
const MAX_BYTES = 0xfffffffe;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes, before) {
  let value = ~before;
  for (let index = 0; index < bytes.length; index += 1) {
    value = TABLE[(value ^ bytes[index]) & 0xff] ^ (value >>> 8);
  }
  return ~value >>> 0;
}

async function checksum(file) {
  const reader = file.stream().getReader();
  let sum = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    sum = crc32(step.value, sum);
  }
  return sum;
}

// Numbers of 2 or 4 bytes, little-endian: [[value, width], ...].
function header(fields) {
  const bytes = new DataView(new ArrayBuffer(fields.reduce((sum, [, width]) => sum + width, 0)));
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 2) bytes.setUint16(at, value, true);
    else bytes.setUint32(at, value, true);
    at += width;
  }
  return bytes.buffer;
}

async function storedZip(members) {
  if (members.length > MAX_MEMBERS) throw new Error("A folder may hold 65,534 files at most. Zip it in parts.");
  const sorted = [...members].sort((one, other) => (one.name < other.name ? -1 : 1));
  const parts = [];
  const directory = [];
  let offset = 0;
  let directorySize = 0;
  for (const { name, file } of sorted) {
    const path = new TextEncoder().encode(name);
    const shared = [
      [20, 2], // version of ZIP that can read it
      [UTF8_NAMES, 2],
      [0, 2], // stored
      [0, 2], // time
      [FIRST_DAY, 2],
      [await checksum(file), 4],
      [file.size, 4],
      [file.size, 4],
      [path.length, 2],
      [0, 2], // extra field
    ];
    const local = header([[LOCAL, 4], ...shared]);
    parts.push(local, path, file);
    directory.push(
      header([[CENTRAL, 4], [20, 2], ...shared, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]),
      path,
    );
    directorySize += 46 + path.length;
    offset += local.byteLength + path.length + file.size;
    if (offset + directorySize > MAX_BYTES) throw new Error("This folder has more than 4 GiB. Upload it in parts.");
  }
  const count = sorted.length;
  const end = header([[END, 4], [0, 2], [0, 2], [count, 2], [count, 2], [directorySize, 4], [offset, 4], [0, 2]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

globalThis.storedZip = storedZip;
