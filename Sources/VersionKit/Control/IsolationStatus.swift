public import VersionKitModel

/// What a node can do for one kind of environment.
public struct IsolationStatus: Sendable, Equatable, Codable {
    /// The kind.
    public var kind: IsolationKind
    /// What was looked at.
    public var findings: [IsolationFinding]

    /// What was found for a kind.
    public init(kind: IsolationKind, findings: [IsolationFinding]) {
        self.kind = kind
        self.findings = findings
    }

    /// Whether environments of this kind can be had here.
    public var isAvailable: Bool { findings.allSatisfy { !$0.isRequired || $0.obstacle == nil } }
}
