import Testing
import VersionKitModel
import VersionKitProxy

/// Between the write in which versions came to differ and the copy that mends it.
@Suite("Keys that are on their way to a version")
struct UnlikeKeysTests {
    @Test("what a version says of a write to them does not count, however new it is")
    func authority() throws {
        try play(
            #"""
            versions 1 2
            unlike 2 x
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            2 > 2ok\n
            1 > 1!there already\n
            client < 2!there already\n
            missed 2 copy x
            missed 1
            """#, .copying)
        // Of other keys it knows as much as before.
        try play(
            #"""
            versions 1 2
            unlike 2 x
            client > 2ay=1\n
            1 < 1ay=1\n
            2 < 2ay=1\n
            2 > 2ok\n
            1 > 1!no\n
            client < 2ok\n
            missed 1 copy y
            """#, .copying)
    }

    @Test("a write that only such a version did is not acknowledged: it will be overwritten")
    func lost() throws {
        try play(
            #"""
            versions 1 2
            unlike 1 x
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            1 > 1ok\n
            2 lost
            client < 2!fate-unknown\n
            missed 2
            """#, .copying)
        // The one that was lost has what the other one misses, however old it is.
        try play(
            #"""
            versions 1 2
            unlike 2 x
            client > 2ax=1\n
            1 < 1ax=1\n
            2 < 2ax=1\n
            2 > 2ok\n
            1 lost
            client < 2!fate-unknown\n
            missed 2 copy x
            missed 1
            """#, .copying)
    }

    @Test("nothing is read from such a version as long as there is another")
    func reads() throws {
        try play(
            #"""
            versions 1 2
            unlike 2 x
            client > 2n\n2c\n
            1 < 1n\n1c\n
            2 <
            """#, .copying)
        try play(
            #"""
            versions 1 2
            unlike 2 x
            unlike 1 y
            client > 2n\n
            2 < 2n\n
            """#, .copying)
    }

    @Test("a write to several keys may have carried what is unlike from one to another: all are copied")
    func carried() throws {
        try play(
            #"""
            versions 1 2
            unlike 1 x
            client > 2ax,y=1\n
            1 < 1ax,y=1\n
            2 < 2ax,y=1\n
            1 > 1ok\n
            2 > 2ok\n
            client < 2ok\n
            missed 1 copy x y
            """#, .copying)
    }

    @Test("such a version does not lead")
    func lead() throws {
        try play(
            #"""
            versions 1 2
            unlike 2 x
            client > 2lx\n
            2 <
            1 < 1lx\n
            1 > 1=5\n
            2 < 2ax=5\n
            2 > 2ok\n
            client < 2=5\n
            """#, .copying)
    }
}
