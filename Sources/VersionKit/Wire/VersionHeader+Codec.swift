public import NIOCore
public import VersionKitModel

extension VersionHeader {
    /// The first four bytes. 0xF6 begins no UTF-8 text, so no text protocol starts like this.
    public static let magic: [UInt8] = [0xF6, 0x56, 0x4B, 0x0A]

    /// The format that this code writes and reads.
    public static let formatVersion: UInt8 = 1

    /// Bytes before the application's name: magic, format, flags, length, two versions, length of the name.
    static let fixedBytes = 17

    /// What the beginning of a stream turned out to be.
    ///
    /// Once an answer other than ``needMore`` is given, more bytes never change it.
    public enum Decoded: Sendable, Hashable {
        /// A header of so many bytes; the application's bytes follow.
        case header(VersionHeader, length: Int)
        /// Too few bytes to say. Ask again with the same ones and more.
        case needMore
        /// No header: the peer has no router, and all bytes are the application's.
        case absent
        /// A router's header that must not be obeyed. The connection is to be closed and counted.
        case invalid(Fault)
    }

    /// Why a header is not obeyed. The fault is the peer's, and the same bytes will fail again.
    public enum Fault: String, Sendable, Hashable, CaseIterable, Error {
        /// A format version that this code does not know.
        case unknownFormat = "unknown-format"
        /// A length below the smallest header or above ``Limits/headerBytesMax``.
        case absurdLength = "absurd-length"
        /// The stream ended within the header.
        case truncated
        /// The application's name breaks the rules of ``ApplicationID``.
        case badApplication = "bad-application"
        /// Version 0 as the sender of an application's bytes.
        case noSender = "no-sender"
        /// Extensions that overrun the header.
        case badExtension = "bad-extension"
        /// A critical extension that this code does not know.
        case unknownCriticalExtension = "unknown-critical-extension"
    }

    /// Looks at the beginning of a stream.
    ///
    /// - Parameters:
    ///   - bytes: everything received so far; nothing is consumed.
    ///   - limits: only ``Limits/headerBytesMax`` matters here.
    public static func decode(_ bytes: ByteBuffer, limits: Limits = .standard) -> Decoded {
        var reader = bytes
        for expected in magic {
            guard let byte: UInt8 = reader.readInteger() else { return .needMore }
            guard byte == expected else { return .absent }
        }
        guard let format: UInt8 = reader.readInteger() else { return .needMore }
        guard format == formatVersion else { return .invalid(.unknownFormat) }
        guard let flags: UInt8 = reader.readInteger(), let length: UInt16 = reader.readInteger() else {
            return .needMore
        }
        guard length > fixedBytes, length <= limits.headerBytesMax else { return .invalid(.absurdLength) }
        guard let rest = bytes.getSlice(at: bytes.readerIndex, length: Int(length)) else { return .needMore }
        return decodeBody(rest, flags: Flags(rawValue: flags).intersection(.known))
    }

    /// What ``Decoded/needMore`` means once the stream has ended: a beginning of the magic alone is the application's,
    /// anything longer is a header cut short.
    public static func decodeAtEnd(_ bytes: ByteBuffer, limits: Limits = .standard) -> Decoded {
        let answer = decode(bytes, limits: limits)
        guard answer == .needMore else { return answer }
        return bytes.readableBytes < magic.count ? .absent : .invalid(.truncated)
    }

    private static func decodeBody(_ header: ByteBuffer, flags: Flags) -> Decoded {
        var reader = header
        reader.moveReaderIndex(forwardBy: 8)
        guard let sender: UInt32 = reader.readInteger(), let advertised: UInt32 = reader.readInteger(),
            let nameLength: UInt8 = reader.readInteger()
        else { return .invalid(.absurdLength) }
        guard let name = reader.readBytes(length: Int(nameLength)),
            let application = ApplicationID(rawValue: String(decoding: name, as: UTF8.self))
        else { return .invalid(.badApplication) }
        guard sender != 0 || flags.contains(.control) else { return .invalid(.noSender) }

        var extensions: [Extension] = []
        while reader.readableBytes > 0 {
            guard let type: UInt8 = reader.readInteger(), let length: UInt8 = reader.readInteger(),
                let value = reader.readBytes(length: Int(length))
            else { return .invalid(.badExtension) }
            let part = Extension(type: type, value: value)
            guard !part.isCritical || part.type == datagramPortsType else {
                return .invalid(.unknownCriticalExtension)
            }
            guard part.type != datagramPortsType || length == 4 else { return .invalid(.badExtension) }
            extensions.append(part)
        }
        let decoded = VersionHeader(
            application: application, sender: Version(sender), advertised: Version(advertised), flags: flags,
            extensions: extensions)
        return .header(decoded, length: header.readableBytes)
    }

    /// Appends the header's bytes.
    ///
    /// - Precondition: the header fits in ``Limits/headerBytesMax`` of the standard limits, and has a sender unless it
    ///   opens a control connection: both are for this code to see to, not for a peer.
    public func encode(into buffer: inout ByteBuffer) {
        precondition(sender != nil || flags.contains(.control), "an application's header names its sender")
        let name = Array(application.rawValue.utf8)
        let length = Self.fixedBytes + name.count + extensions.reduce(0) { $0 + 2 + $1.value.count }
        precondition(length <= Limits.standard.headerBytesMax, "a header of \(length) bytes")
        buffer.writeBytes(Self.magic)
        buffer.writeInteger(Self.formatVersion)
        buffer.writeInteger(flags.rawValue)
        buffer.writeInteger(UInt16(length))
        buffer.writeInteger(sender?.number ?? 0)
        buffer.writeInteger(advertised?.number ?? 0)
        buffer.writeInteger(UInt8(name.count))
        buffer.writeBytes(name)
        for part in extensions {
            buffer.writeInteger(part.type)
            buffer.writeInteger(UInt8(part.value.count))
            buffer.writeBytes(part.value)
        }
    }

    /// The header's bytes.
    public func encoded() -> ByteBuffer {
        var buffer = ByteBuffer()
        encode(into: &buffer)
        return buffer
    }
}
