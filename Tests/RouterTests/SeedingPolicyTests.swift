import Testing
import VersionKitModel
import VersionKitRouter

@Suite("SeedingPolicy")
struct SeedingPolicyTests {
    private func release(_ version: UInt32) -> Introducer.Release {
        .init(ApplicationID(rawValue: "irislog")!, Version(version)!)
    }

    @Test("a release is handed on while it is wanted, and for a time after")
    func afterwards() {
        var policy = SeedingPolicy()
        policy.want(release(1), at: .zero)
        policy.want(release(2), at: .zero)
        policy.want(release(2), at: .seconds(60))
        #expect(policy.releases(at: SeedingPolicy.afterwards) == [release(1), release(2)])
        #expect(policy.releases(at: SeedingPolicy.afterwards + .seconds(1)) == [release(2)])
        #expect(policy.releases(at: SeedingPolicy.afterwards + .seconds(61)) == [])
    }

    @Test("so many releases are handed on and no more: those that were wanted last")
    func bounded() {
        var policy = SeedingPolicy()
        for number in 1...UInt32(SeedingPolicy.releasesMax) + 5 { policy.want(release(number), at: .seconds(number)) }
        let releases = policy.releases(at: .seconds(100))
        #expect(releases.count == SeedingPolicy.releasesMax)
        #expect(!releases.contains(release(5)) && releases.contains(release(6)))
    }
}
