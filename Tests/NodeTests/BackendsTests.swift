import Testing
import VersionKitControl
import VersionKitIsolation
import VersionKitModel

@testable import VersionKitNode

/// A backend that only says what it could do.
private struct SayingBackend: IsolationBackend {
    let kind: IsolationKind
    var obstacle: String?

    func probe() async -> [IsolationFinding] {
        [
            IsolationFinding("a kernel", obstacle: obstacle),
            IsolationFinding("limits", obstacle: "never", isRequired: false),
        ]
    }
    func prepare(_: EnvironmentSpecification, keepsData: Bool) async throws(IsolationError) {}
    func create(_: EnvironmentSpecification) async throws(IsolationError) -> any IsolationEnvironment {
        throw IsolationError("none")
    }
    func adopt(_: EnvironmentSpecification) async throws(IsolationError) -> (any IsolationEnvironment)? { nil }
    func names() async throws(IsolationError) -> Set<String> { [] }
    func destroy(_: String) async throws(IsolationError) {}
}

@Suite("Kinds of environments")
struct BackendsTests {
    private func manifest(_ isolation: [IsolationKind]?) throws -> ReleaseManifest {
        ReleaseManifest(
            application: try #require(ApplicationID(rawValue: "app")), version: 1, name: "1", ports: .init(),
            layers: [],
            start: ["/app"], healthCheck: .init(port: 1), isolation: isolation)
    }

    @Test("the strongest kind is chosen that is configured, that the machine has and that the release allows")
    func strongest() async throws {
        let backends = Backends([
            SayingBackend(kind: .process), SayingBackend(kind: .uml, obstacle: "no linux.uml; install user-mode-linux"),
            SayingBackend(kind: .oci), SayingBackend(kind: .namespaces),
        ])
        let any = try manifest(nil)
        let weak = try manifest([.process, .namespaces])
        #expect(try await backends.strongest(for: any) == .oci)
        #expect(try await backends.strongest(for: weak) == .namespaces)
        let error = await #expect(throws: NodeError.self) {
            _ = try await backends.strongest(for: try manifest([.xen, .uml]))
        }
        #expect(error?.description.contains("install user-mode-linux") == true)
    }

    @Test("doctor says what can be had, and what to do for the rest; trouble is only if there is none at all")
    func doctor() async {
        let some = await Backends([SayingBackend(kind: .oci, obstacle: "install runc"), SayingBackend(kind: .process)])
            .report()
        let findings = Diagnosis.findings(of: some)
        #expect(findings.filter(\.isTrouble) == [])
        #expect(findings.contains { $0.text == "oci: no a kernel: install runc" })
        #expect(findings.contains { $0.text == "environments of the kind process can be had" })
        let none = await Backends([SayingBackend(kind: .oci, obstacle: "install runc")]).report()
        #expect(Diagnosis.findings(of: none).filter(\.isTrouble).count == 1)
    }
}
