export default () => <p>page=feed</p>;
