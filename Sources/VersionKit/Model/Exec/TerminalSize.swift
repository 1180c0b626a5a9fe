/// How much a terminal shows.
public struct TerminalSize: Sendable, Hashable {
    /// Lines.
    public var rows: UInt16
    /// Characters in each.
    public var columns: UInt16

    /// A size.
    public init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}
