/// How a release of IrisLog 2 turns out to be bad when it has run for a while: it starts, and serves, as a good one does.
package enum BadRelease: String, CaseIterable, Sendable {
    /// It goes on, but its health checks fail.
    case sick
    /// Its process ends, with what it was asked at that moment.
    case crashing

    /// The file whose presence makes health checks fail; what it says is the reason.
    private static let sickness = "/var/lib/irislog/sick"

    /// The command that starts it, with so many seconds until it is bad.
    package func start(after seconds: Int) -> [String] {
        let server = "/opt/irislog/irislog2 /etc/irislog"
        let script =
            switch self {
            case .sick: "(sleep \(seconds); echo its disk is slow > \(Self.sickness)) & exec \(server)"
            case .crashing: "\(server) & sleep \(seconds); kill $!; exit 4"
            }
        return ["/bin/sh", "-c", script]
    }

    /// Further members of its health check, as JSON.
    package var health: [String] { self == .sick ? [Self.watched] : [] }

    /// Members of a health check that looks for the port, and for the file.
    package static let checked = #"""
        "kind": "command", "command": [
          "/bin/bash", "-c", "cat \#(sickness) 2>/dev/null && exit 1; exec 3<>/dev/tcp/127.0.0.1/\#(Fleet.clientPort)"
        ]
        """#

    /// The same all the time.
    package static let watched = checked + #", "steady": { "intervalMilliseconds": 100, "failures": 2 }"#
}
