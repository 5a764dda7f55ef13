//! The mesh in the form of the Backstage plugin's backend (`GET /v1/getEventMesh`, "EventMesh API" 1.0.0).
