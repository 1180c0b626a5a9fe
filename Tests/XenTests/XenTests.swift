import Testing

/// The tests of Xen environments as a program, for dom0 of a Xen host: `make test-xen` boots one and runs it there.
/// Arguments are those of `swift test`. There is no toolchain in dom0, and a test bundle has everybody's tests.
@main
enum XenTests {
    static func main() async { await Testing.__swiftPMEntryPoint() as Never }
}
