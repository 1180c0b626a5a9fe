// `import VersionKit` is all that the author of an adapter needs.
@_exported public import NIOCore
@_exported public import VersionKitFraming
@_exported public import VersionKitModel
@_exported public import VersionKitWire
@_exported public import VersionKitProxy
@_exported public import VersionKitTransport
@_exported public import VersionKitUpgrade
