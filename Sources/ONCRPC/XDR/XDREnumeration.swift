/// An `enum` of XDR (RFC 4506, section 4.3): cases with numbers. Nothing but those is read.
///
/// Swift's enumerations that have numbers conform by saying so.
public protocol XDREnumeration: XDRCodable, RawRepresentable where RawValue == UInt32 {}

extension XDREnumeration {
    /// Reads a number in four bytes that has to be of a case.
    public init(from reader: inout XDRReader) throws(XDRError) {
        let offset = reader.offset
        let number: UInt32 = try reader.readInteger()
        guard let value = Self(rawValue: number) else {
            throw XDRError(.unknownCase(type: "\(Self.self)", number: number), at: offset)
        }
        self = value
    }

    /// Writes the case's number in four bytes.
    public func write(to writer: inout XDRWriter) throws(XDRError) { writer.writeInteger(rawValue) }
}
