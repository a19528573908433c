"""Stand-ins for Pulumi's provider plugins, where the real ones cannot be had.

The engine and the provider SDKs talk to them as to the real plugins (`python -m uss.sandbox.providers` and
`PULUMI_DEBUG_PROVIDERS`). Layers: `server` speaks the provider protocol and knows no cloud, `interface` is what a
package and its resource kinds implement, `values` turns property values into Python and back, `aws*` is the package
`aws`.
"""
