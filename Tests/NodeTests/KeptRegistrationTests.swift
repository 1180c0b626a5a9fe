import Foundation
import Testing
import VersionKitControl
import VersionKitModel
@testable import VersionKitNode

@Suite("Registrations on the disk")
struct KeptRegistrationTests {
    private let now = MachineTime(boot: "one", time: .seconds(100))

    /// What a versiond reads that another one wrote, whose clock showed when the lease ends.
    private func read(clock endsAt: Int64?, left: Duration?) throws -> KeptRegistration {
        let status = PortStatus(
            port: TransportPort(7100, .tcp), application: try #require(ApplicationID(rawValue: "irislog")), version: 1,
            name: nil,
            endsAt: endsAt)
        let kept = KeptRegistration(status, endsIn: left, on: now)
        let again = try JSONDecoder().decode(KeptRegistration.self, from: JSONEncoder().encode(kept))
        #expect(again.status == status)
        return again
    }

    @Test("a lease ends when it would have, whatever the clock was set to meanwhile", arguments: [-1, 0, 1] as [Int64])
    func setClock(days: Int64) throws {
        let kept = try read(clock: NodeTime.ofDay + days * 86_400_000, left: .seconds(30))
        #expect(kept.left(on: MachineTime(boot: "one", time: .seconds(110))) == .seconds(20))
        #expect(kept.left(on: MachineTime(boot: "one", time: .seconds(131))) == .seconds(-1))
    }

    @Test("over a start of the machine the time of day has to do, and for what an older versiond wrote")
    func rebooted() throws {
        let kept = try read(clock: NodeTime.ofDay + 3_600_000, left: .seconds(30))
        for boot in ["two", ""] {
            let left = try #require(kept.left(on: MachineTime(boot: boot, time: .zero)))
            #expect(left > .seconds(3500) && left <= .seconds(3600))
        }
        let older = try JSONDecoder().decode(KeptRegistration.self, from: JSONEncoder().encode(kept.status))
        #expect(try #require(older.left(on: now)) > .seconds(3500))
    }

    @Test("what is held with the environment has no end")
    func environment() throws {
        #expect(try read(clock: nil, left: nil).left(on: now) == nil)
    }
}
