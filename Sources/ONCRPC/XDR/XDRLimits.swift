/// What a reader of XDR accepts where the type that it reads sets no limit of its own (`opaque x<>`).
public struct XDRLimits: Hashable, Sendable {
    /// Bytes of variable-length opaque data or of a string.
    public var opaqueBytesMax: Int
    /// Elements of a variable-length array or of a list.
    public var elementsMax: Int
    /// How often values may lie within each other, where a type contains itself.
    public var depthMax: Int

    /// Limits; the defaults are those of ``standard``.
    public init(opaqueBytesMax: Int = 1024 * 1024, elementsMax: Int = 65_536, depthMax: Int = 32) {
        precondition(opaqueBytesMax >= 0 && elementsMax >= 0 && depthMax >= 0, "a limit below zero")
        self.opaqueBytesMax = opaqueBytesMax
        self.elementsMax = elementsMax
        self.depthMax = depthMax
    }

    /// 1 MiB, 65 536 elements, 32 levels.
    public static let standard = XDRLimits()
}
