import NIOCore
import ONCRPC
import Testing

/// The file of the example in RFC 4506, section 7.
private struct File: XDRCodable, Equatable {
    enum Kind: Equatable {
        case text
        case data(creator: String)
        case executable(interpreter: String)
    }

    var name: String
    var kind: Kind
    var owner: String
    var data: ByteBuffer

    init(name: String, kind: Kind, owner: String, data: ByteBuffer) {
        (self.name, self.kind, self.owner, self.data) = (name, kind, owner, data)
    }

    init(from reader: inout XDRReader) throws(XDRError) {
        name = try reader.readString(max: 255)
        let offset = reader.offset
        switch try reader.read(UInt32.self) {
        case 0: kind = .text
        case 1: kind = .data(creator: try reader.readString(max: 255))
        case 2: kind = .executable(interpreter: try reader.readString(max: 255))
        case let number: throw XDRError(.unknownCase(type: "filekind", number: number), at: offset)
        }
        owner = try reader.readString(max: 32)
        data = try reader.readOpaque(max: 65_535)
    }

    func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.writeString(name, max: 255)
        switch kind {
        case .text: try writer.write(0 as UInt32)
        case .data(let creator):
            try writer.write(1 as UInt32)
            try writer.writeString(creator, max: 255)
        case .executable(let interpreter):
            try writer.write(2 as UInt32)
            try writer.writeString(interpreter, max: 255)
        }
        try writer.writeString(owner, max: 32)
        try writer.writeOpaque(data, max: 65_535)
    }
}

struct Mount: XDRCodable {
    var path: String
    var isReadOnly: Bool

    init(from reader: inout XDRReader) throws(XDRError) {
        path = try reader.readString(max: 1024)
        isReadOnly = try reader.read()
    }

    func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.writeString(path, max: 1024)
        try writer.write(isReadOnly)
    }
}

private enum Colour: UInt32, XDREnumeration {
    case red = 2
    case yellow = 3
    case blue = 5
}

/// A tree without bound but that of the reader.
private struct Tree: XDRCodable, Equatable {
    var number: Int32
    var children: [Tree]

    init(_ number: Int32, _ children: [Tree] = []) { (self.number, self.children) = (number, children) }

    init(from reader: inout XDRReader) throws(XDRError) {
        number = try reader.read()
        children = try reader.nested { reader throws(XDRError) in try reader.readArray(max: 4) }
    }

    func write(to writer: inout XDRWriter) throws(XDRError) {
        try writer.write(number)
        try writer.writeArray(children, max: 4)
    }
}

/// Goal: XDR is read and written as RFC 4506 says, and bytes that are none are refused where they are wrong.
struct XDRTests {
    private static let file = File(
        name: "sillyprog", kind: .executable(interpreter: "lisp"), owner: "john", data: text("(quit)"))
    private static let fileBytes = hex(
        """
        00000009 73696c6c 7970726f 67000000 00000002 00000004 6c697370 00000004 6a6f686e
        00000006 28717569 74290000
        """)

    @Test("the RFC's example is written and read as the RFC has it")
    func example() throws {
        #expect(try XDRWriter.bytes(of: Self.file) == Self.fileBytes)
        #expect(try XDRReader.readAll(Self.fileBytes, as: File.self) == Self.file)
    }

    @Test("no beginning of a value is the value")
    func beginnings() throws {
        for length in 0..<Self.fileBytes.readableBytes {
            let part = try #require(Self.fileBytes.getSlice(at: 0, length: length))
            let error = #expect(throws: XDRError.self) { try XDRReader.readAll(part, as: File.self) }
            guard case .truncated(let needed, let left) = error?.code else {
                Issue.record("\(length) bytes: \(String(describing: error))")
                continue
            }
            #expect(needed > left && (error?.offset ?? 0) + left == length)
        }
    }

    @Test("bytes behind a value are an error, with their number")
    func trailing() {
        var bytes = Self.fileBytes
        bytes.writeInteger(0, as: UInt32.self)
        #expect(throws: XDRError(.trailingBytes(4), at: 48)) { try XDRReader.readAll(bytes, as: File.self) }
    }

    @Test("padding that is not zero is an error", arguments: [13, 14, 15, 46, 47])
    func padding(position: Int) {
        var bytes = Self.fileBytes
        bytes.setInteger(1, at: position, as: UInt8.self)
        #expect(throws: XDRError(.padding, at: position < 16 ? 13 : 46)) { try XDRReader.readAll(bytes, as: File.self) }
    }

    @Test("numbers are written with the most significant byte first")
    func numbers() throws {
        func bytes(_ value: some XDRCodable) throws -> ByteBuffer { try XDRWriter.bytes(of: value) }
        #expect(try bytes(Int32(-2)) == hex("fffffffe"))
        #expect(try bytes(UInt32(0x0102_0304)) == hex("01020304"))
        #expect(try bytes(Int64.min) == hex("80000000 00000000"))
        #expect(try bytes(UInt64.max - 1) == hex("ffffffff fffffffe"))
        #expect(try bytes(Float(-1.5)) == hex("bfc00000"))
        #expect(try bytes(1.0) == hex("3ff00000 00000000"))
        #expect(try bytes(true) == hex("00000001"))
        #expect(try bytes(Colour.blue) == hex("00000005"))
        #expect(try bytes(XDRVoid()) == ByteBuffer())
    }

    @Test("numbers are read as they were written")
    func numbersBack() throws {
        #expect(try XDRReader.readAll(hex("fffffffe")) == Int32(-2))
        #expect(try XDRReader.readAll(hex("80000000 00000000")) == Int64.min)
        #expect(try XDRReader.readAll(hex("ffffffff fffffffe")) == UInt64.max - 1)
        #expect(try XDRReader.readAll(hex("bfc00000")) == Float(-1.5))
        #expect(try XDRReader.readAll(hex("3ff00000 00000000")) == 1.0)
        #expect(try XDRReader.readAll(hex("00000000")) == false)
        #expect(try XDRReader.readAll(hex("00000003")) == Colour.yellow)
    }

    @Test("a boolean is 0 or 1, an enumeration one of its cases")
    func cases() {
        #expect(throws: XDRError(.notBoolean(2), at: 0)) { try XDRReader.readAll(hex("00000002"), as: Bool.self) }
        #expect(throws: XDRError(.unknownCase(type: "Colour", number: 4), at: 0)) {
            try XDRReader.readAll(hex("00000004"), as: Colour.self)
        }
    }

    @Test("a length beyond the limit is refused before the bytes are there")
    func lengths() {
        #expect(throws: XDRError(.tooLong(count: 256, max: 255), at: 0)) {
            try XDRReader.readAll(hex("00000100"), as: File.self)
        }
        var reader = XDRReader(hex("ffffffff"), limits: XDRLimits(opaqueBytesMax: 10, elementsMax: 11))
        #expect(throws: XDRError(.tooLong(count: 4_294_967_295, max: 10), at: 0)) { try reader.readOpaque() }
        reader = XDRReader(hex("ffffffff"), limits: XDRLimits(opaqueBytesMax: 10, elementsMax: 11))
        #expect(throws: XDRError(.tooLong(count: 4_294_967_295, max: 11), at: 0)) {
            try reader.readArray(of: Bool.self)
        }
    }

    @Test("a string has to be UTF-8, opaque data need not")
    func strings() throws {
        let bytes = hex("00000002 c3280000")
        var reader = XDRReader(bytes)
        #expect(throws: XDRError(.notText, at: 4)) { try reader.readString() }
        reader = XDRReader(bytes)
        #expect(try reader.readOpaque() == hex("c328"))
    }

    @Test("opaque data of a fixed length has no length in front, and no other length is written")
    func fixedOpaque() throws {
        var writer = XDRWriter()
        try writer.writeOpaque(text("abcde"), count: 5)
        #expect(writer.bytes == hex("6162636465000000"))
        #expect(throws: XDRError(.wrongLength(count: 4, expected: 5), at: 8)) {
            try writer.writeOpaque(text("abcd"), count: 5)
        }
        var reader = XDRReader(writer.bytes)
        #expect(try reader.readOpaque(count: 5) == text("abcde"))
    }

    @Test("nothing longer than declared is written")
    func writingTooMuch() {
        var writer = XDRWriter()
        #expect(throws: XDRError(.tooLong(count: 3, max: 2), at: 0)) { try writer.writeString("abc", max: 2) }
        #expect(throws: XDRError(.tooLong(count: 2, max: 1), at: 0)) { try writer.writeArray([true, true], max: 1) }
        #expect(throws: XDRError(.tooLong(count: 3, max: 2), at: 0)) { try writer.writeOpaque(text("abc"), max: 2) }
    }

    @Test("arrays, optional data and lists come back as they were written")
    func composites() throws {
        var writer = XDRWriter()
        try writer.writeArray([1, 2] as [UInt32])
        try writer.writeArray([true, false], count: 2)
        try writer.writeOptional(nil as Int32?)
        try writer.writeOptional(7 as Int32)
        try writer.writeList([Colour.red, .blue])
        let bytes = hex(
            "00000002 00000001 00000002 00000001 00000000 00000000 00000001 00000007 00000001 00000002 00000001 00000005 00000000"
        )
        #expect(writer.bytes == bytes)
        var reader = XDRReader(bytes)
        #expect(try reader.readArray(of: UInt32.self) == [1, 2])
        #expect(try reader.readArray(of: Bool.self, count: 2) == [true, false])
        #expect(try reader.readOptional(Int32.self) == nil)
        #expect(try reader.readOptional(Int32.self) == 7)
        #expect(try reader.readList(of: Colour.self) == [.red, .blue])
        try reader.requireEnd()
    }

    @Test("a list has no more elements than it may")
    func longList() throws {
        var writer = XDRWriter()
        try writer.writeList([UInt32](repeating: 9, count: 4))
        var reader = XDRReader(writer.bytes)
        #expect(throws: XDRError(.tooLong(count: 4, max: 3), at: 24)) { try reader.readList(of: UInt32.self, max: 3) }
    }

    @Test("values lie within each other as deep as the limit says, and no deeper")
    func depth() throws {
        let limits = XDRLimits(depthMax: 3)
        let tree = Tree(1, [Tree(2, [Tree(3)]), Tree(4)])
        let bytes = try XDRWriter.bytes(of: tree)
        #expect(try XDRReader.readAll(bytes, as: Tree.self, limits: limits) == tree)
        let deeper = try XDRWriter.bytes(of: Tree(0, [tree]))
        #expect(throws: XDRError(.tooDeep(max: 3), at: 28)) {
            try XDRReader.readAll(deeper, as: Tree.self, limits: limits)
        }
        // The attacker's form: nesting without an end costs as much as the limit allows, not the stack.
        let hostile = ByteBuffer(repeating: 1, count: 1 << 20)
        #expect(throws: XDRError.self) { try XDRReader.readAll(hostile, as: Tree.self) }
    }

    @Test("trees of every shape come back as they were written", arguments: 0..<50 as Range<UInt64>)
    func randomTrees(seed: UInt64) throws {
        var random = Seeded(seed)
        func tree(_ depth: Int) -> Tree {
            Tree(Int32(random.next()), depth == 0 ? [] : (0..<Int(random.next() % 5)).map { _ in tree(depth - 1) })
        }
        let tree = tree(4)
        #expect(try XDRReader.readAll(XDRWriter.bytes(of: tree), as: Tree.self) == tree)
    }

    @Test("a type of two parts is written by listing them")
    func documented() throws {
        let bytes = hex("00000003 2f612f00 00000001")
        let mount = try XDRReader.readAll(bytes, as: Mount.self)
        #expect(mount.path == "/a/" && mount.isReadOnly)
        #expect(try XDRWriter.bytes(of: mount) == bytes)
    }
}

extension Int32 {
    fileprivate init(_ number: UInt64) { self.init(truncatingIfNeeded: number) }
}
