/// One line of the update log: what was added where.
///
/// On disk: length and checksum of the rest (4 bytes each, big endian), serial number, kind, then the texts.
struct LogRecord: Equatable {
    enum Kind: UInt8 {
        case reading = 1
        /// A current value whose reading is not known (it came with a merge).
        case current = 2
    }

    /// Increases with each record; the snapshot names the last one it contains.
    var serial: UInt64
    var kind: Kind
    var path: IDPath
    var reading: Reading

    var encoded: [UInt8] {
        var body: [UInt8] = []
        Self.put(serial, into: &body)
        body.append(kind.rawValue)
        Self.put(path.xpath, into: &body)
        Self.put(reading.sensor, into: &body)
        Self.put(reading.sequence, into: &body)
        Self.put(reading.at, into: &body)
        Self.put(reading.value, into: &body)
        var record: [UInt8] = []
        Self.put(UInt32(body.count), into: &record)
        Self.put(Self.checksum(body[...]), into: &record)
        return record + body
    }

    /// Reads the record at the front; nil if there is no whole and undamaged one.
    static func decode(_ bytes: inout ArraySlice<UInt8>) -> LogRecord? {
        var rest = bytes
        guard let length: UInt32 = take(&rest), let sum: UInt32 = take(&rest), length <= Limits.recordBytes,
            rest.count >= Int(length)
        else { return nil }
        var body = rest.prefix(Int(length))
        guard checksum(body) == sum else { return nil }
        guard let serial: UInt64 = take(&body), let kind = body.popFirst().flatMap(Kind.init),
            let path = takeText(&body).flatMap(IDPath.init(xpath:)), let sensor = takeText(&body),
            let sequence: UInt64 = take(&body), let at: UInt64 = take(&body), let value = takeText(&body),
            let reading = try? Reading(sensor: sensor, sequence: sequence, at: at, value: value)
        else { return nil }
        bytes = rest.dropFirst(Int(length))
        return LogRecord(serial: serial, kind: kind, path: path, reading: reading)
    }

    /// FNV-1a: finds torn and zeroed records; nobody forges a local file.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }

    private static func put<Number: FixedWidthInteger>(_ number: Number, into bytes: inout [UInt8]) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }

    private static func put(_ text: String, into bytes: inout [UInt8]) {
        put(UInt32(text.utf8.count), into: &bytes)
        bytes += text.utf8
    }

    private static func take<Number: FixedWidthInteger>(_ bytes: inout ArraySlice<UInt8>) -> Number? {
        let size = Number.bitWidth / 8
        guard bytes.count >= size else { return nil }
        defer { bytes = bytes.dropFirst(size) }
        return bytes.prefix(size).reduce(0) { $0 << 8 | Number($1) }
    }

    private static func takeText(_ bytes: inout ArraySlice<UInt8>) -> String? {
        guard let length: UInt32 = take(&bytes), bytes.count >= Int(length) else { return nil }
        defer { bytes = bytes.dropFirst(Int(length)) }
        return String(validating: bytes.prefix(Int(length)), as: UTF8.self)
    }
}
