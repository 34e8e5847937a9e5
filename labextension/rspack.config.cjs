// Ids that do not depend on where the checkout lies, so that CI can build the bundle
// again and compare it, byte by byte, with the one that is committed.
module.exports = {
  optimization: { moduleIds: 'natural', chunkIds: 'natural' }
};
