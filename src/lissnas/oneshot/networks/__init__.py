"""Networks of the published spaces, one file per kind of layout; ``oneshot.network.NETWORKS`` names their builders."""
