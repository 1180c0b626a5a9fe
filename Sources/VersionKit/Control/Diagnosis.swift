import VersionKitModel

/// `versionctl doctor`: what a node's status says about its health.
public enum Diagnosis {
    /// One thing that was looked at.
    public struct Finding: Sendable, Hashable, Codable {
        /// Whether somebody should do something about it.
        public var isTrouble: Bool
        /// What was found, and what to do.
        public var text: String
    }

    /// All that was looked at, in the order of its weight.
    public static func findings(of status: NodeStatus) -> [Finding] {
        kernel(status.router.kernel) + status.applications.flatMap(application)
    }

    /// What a node can do to isolate versions, by the kinds that it was told to use.
    public static func findings(of kinds: [IsolationStatus]) -> [Finding] {
        let none = !kinds.contains(where: \.isAvailable)
        var findings: [Finding] = []
        for kind in kinds {
            let missing = kind.findings.filter { $0.obstacle != nil }
            if kind.isAvailable {
                let text = "environments of the kind \(kind.kind) can be had"
                findings.append(Finding(isTrouble: false, text: text))
            }
            for finding in missing {
                // A second choice that works is no trouble.
                findings.append(
                    Finding(
                        isTrouble: none && finding.isRequired,
                        text: "\(kind.kind): no \(finding.feature): \(finding.obstacle ?? "")"))
            }
        }
        if kinds.isEmpty {
            findings.append(Finding(isTrouble: true, text: "no kind of environment is configured: see isolation"))
        }
        return findings
    }

    private static func kernel(_ kernel: KernelStatus?) -> [Finding] {
        guard let kernel else { return [] }
        var findings: [Finding] = []
        if let kind = kernel.kind {
            findings.append(
                Finding(
                    isTrouble: false,
                    text: "fast path: \(kind); \(kernel.directPorts) direct ports, \(kernel.routes) routes"))
        } else if kernel.missing.isEmpty {
            findings.append(Finding(isTrouble: false, text: "fast path: none, as the configuration wants it"))
        }
        if let kind = kernel.hostKind {
            let text = "fast path of versions in the node's own network: \(kind)"
            findings.append(Finding(isTrouble: false, text: text))
        }
        for (kind, reason) in kernel.missing.sorted(by: { $0.key < $1.key }) {
            // A second choice that works is no trouble, only slower.
            let text = "fast path \(kind) cannot be had: \(reason)"
            findings.append(Finding(isTrouble: kernel.kind == nil, text: text))
        }
        if kernel.failures > 0 {
            let text = "the kernel refused \(kernel.failures) changes of the fast path; versiond's log says which"
            findings.append(Finding(isTrouble: true, text: text))
        }
        return findings
    }

    private static func application(_ status: ApplicationStatus) -> [Finding] {
        let troubles = status.versions.compactMap { version -> Finding? in
            let name = "version \(version.version) of \(status.application)"
            if let trouble = version.writes?.trouble {
                return Finding(isTrouble: true, text: "\(name) cannot be brought up to date: \(trouble)")
            }
            guard version.state == .failed, let reason = version.reason,
                version.version == status.versions.last?.version
            else { return nil }
            return Finding(isTrouble: true, text: "\(name) was taken away: \(reason); publish a new version")
        }
        guard troubles.isEmpty else { return troubles }
        let serving = status.serving.map(\.description).joined(separator: ", ")
        return [
            serving.isEmpty
                ? Finding(isTrouble: true, text: "\(status.application): no version serves; publish a release")
                : Finding(isTrouble: false, text: "\(status.application): serving \(serving)")
        ]
    }
}
