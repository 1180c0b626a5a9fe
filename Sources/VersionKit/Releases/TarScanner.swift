/// Reads the headers of a tar archive as its bytes go by, and refuses what could write outside the directory that it
/// is unpacked in.
///
/// GNU tar by itself strips a leading `/` with a warning, and skips names with `..`: it would unpack half of a
/// forged layer. Here a layer is all right or refused as a whole, before tar sees it. Refused are absolute names,
/// `..`, names that pass through a link of the same archive, devices, sparse files, and everything that two readers of
/// tar could understand in two ways.
///
/// A pure machine: bytes in, the first problem out.
struct TarScanner {
    /// What is wrong with the archive.
    struct Problem: Error, Equatable {
        let message: String
    }

    private static let blockBytes = 512
    private static let nameBytesMax = 2048
    private static let extensionBytesMax: UInt64 = 64 << 10

    private enum State {
        /// The next bytes belong to a header.
        case header
        /// This many bytes of content and padding are left to skip.
        case content(remaining: UInt64)
        /// The content of a header that describes the next one.
        case described(TarHeader.Kind, size: UInt64, remaining: UInt64)
        /// The zero block was seen; only zeros may follow.
        case ended
    }

    private var state = State.header
    private var block: [UInt8] = []
    private var overrides = TarOverrides()
    private var links: Set<[UInt8]> = []
    private var memberCount = 0
    private let membersMax: Int
    /// What was seen, if that is wanted.
    private(set) var listing: TarListing?

    init(membersMax: Int, isListing: Bool = false) {
        self.membersMax = membersMax
        listing = isListing ? TarListing() : nil
    }

    /// Takes the next bytes of the archive, in pieces of any size.
    mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(Problem) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .header:
                let part = rest.prefix(Self.blockBytes - block.count)
                block.append(contentsOf: part)
                rest = rest.dropFirst(part.count)
                if block.count == Self.blockBytes {
                    try takeHeader()
                    block.removeAll(keepingCapacity: true)
                }
            case .content(let remaining):
                let count = Int(min(remaining, UInt64(rest.count)))
                listing?.add(rest.prefix(count))
                rest = rest.dropFirst(count)
                state = remaining == UInt64(count) ? .header : .content(remaining: remaining - UInt64(count))
            case .described(let kind, let size, let remaining):
                let part = rest.prefix(Int(min(remaining, UInt64(rest.count))))
                block.append(contentsOf: part)
                rest = rest.dropFirst(part.count)
                state = .described(kind, size: size, remaining: remaining - UInt64(part.count))
                if remaining == UInt64(part.count) {
                    try overrides.take(kind, Array(block.prefix(Int(size))))
                    block.removeAll(keepingCapacity: true)
                    state = .header
                }
            case .ended:
                guard rest.allSatisfy({ $0 == 0 }) else {
                    throw Problem(message: "bytes follow the end of the archive")
                }
                return
            }
        }
    }

    /// The archive is over: was it whole?
    func finish() throws(Problem) {
        guard case .ended = state else { throw Problem(message: "the archive is cut off") }
    }

    private mutating func takeHeader() throws(Problem) {
        if block.allSatisfy({ $0 == 0 }) {
            guard overrides.isEmpty else { throw Problem(message: "the archive is cut off") }
            state = .ended
            return
        }
        let header = try TarHeader(block)
        if header.kind.isExtension {
            guard header.size <= Self.extensionBytesMax else { throw Problem(message: "a name is too long") }
            guard header.size > 0 else { throw Problem(message: "an extension header is empty") }
            state = .described(header.kind, size: header.size, remaining: Self.padded(header.size))
            return
        }
        let member = overrides.applied(to: header)
        overrides = TarOverrides()
        try check(member)
        state = member.size == 0 ? .header : .content(remaining: Self.padded(member.size))
    }

    private static func padded(_ size: UInt64) -> UInt64 { (size + 511) / 512 * 512 }

    private mutating func check(_ member: TarHeader) throws(Problem) {
        memberCount += 1
        guard memberCount <= membersMax else { throw Problem(message: "more than \(membersMax) files") }
        guard member.size <= UInt64(Int64.max) - 512 else { throw Problem(message: "a file of impossible size") }
        let path = try safePath(member.name, isDirectory: member.kind == .directory)
        if member.kind != .file, member.size != 0 {
            throw Problem(message: "\(Self.text(member.name)) is no file but has content")
        }
        switch member.kind {
        case .symbolicLink:
            links.insert(path)
        case .hardLink:
            let target = try safePath(member.linkName, isDirectory: false)
            // A hard link to a symbolic link is one itself.
            if links.contains(target) { links.insert(path) }
        default:
            // tar writes a file over a link of the same name; whether it follows it is not worth asking.
            guard !links.contains(path) else {
                throw Problem(message: "\(Self.text(member.name)) is first a link and then something else")
            }
        }
        listing?.begin(member, path: path)
    }

    /// The parts of a name that stays inside, joined again.
    private func safePath(_ name: [UInt8], isDirectory: Bool) throws(Problem) -> [UInt8] {
        guard name.count <= Self.nameBytesMax else { throw Problem(message: "a name is too long") }
        guard name.first != UInt8(ascii: "/") else {
            throw Problem(message: "\(Self.text(name)) is an absolute name")
        }
        var path: [UInt8] = []
        for part in name.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            guard !part.elementsEqual("..".utf8) else {
                throw Problem(message: "\(Self.text(name)) leads upwards")
            }
            guard !links.contains(path) else {
                throw Problem(message: "\(Self.text(name)) passes through a link")
            }
            if !path.isEmpty { path.append(UInt8(ascii: "/")) }
            path.append(contentsOf: part)
        }
        guard !path.isEmpty || isDirectory else { throw Problem(message: "a file has no name") }
        return path
    }

    private static func text(_ name: [UInt8]) -> String {
        "\"" + String(decoding: name.prefix(200), as: UTF8.self) + "\""
    }
}
